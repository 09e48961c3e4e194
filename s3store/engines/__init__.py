"""Where content lies: one room for each kind of place, behind one port."""
