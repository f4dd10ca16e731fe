"""Comments that praise and complain, for the head that learns `mixed`."""
