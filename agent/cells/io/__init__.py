"""What goes into a cell and comes out of it: sockets, questions, answers."""
