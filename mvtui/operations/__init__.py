"""What mvtui does: each a function over a Host that returns model values."""
