"""What operations on objects share: what is written, what is read, under which conditions."""
