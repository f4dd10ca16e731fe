"""The live stream: shared queries that are evaluated again after each change, and the subscriptions to them."""
