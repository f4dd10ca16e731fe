"""Three machines as network namespaces: two replicas of every service, three brokers, a database for each service."""
