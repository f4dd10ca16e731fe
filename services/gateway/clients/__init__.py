"""The services behind the door, as the gateway speaks to them."""
