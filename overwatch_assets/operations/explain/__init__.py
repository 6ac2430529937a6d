"""How a number came about: states, prices and shares, down to the audit record."""
