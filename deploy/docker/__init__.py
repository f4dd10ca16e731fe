"""What only the containers of compose.yaml run."""
