"""What an operator may do by hand."""
