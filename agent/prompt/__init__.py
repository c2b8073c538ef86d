"""What a model is told before anything is said: words of ours in the place of OpenClaw's."""
