"""What the product knows and may do: tables, and the verbs that change them."""
