"""What runs beside the requests: the live stream's hub and the telling of new tenants."""
