"""Programs that only the containers of compose.yaml run."""
