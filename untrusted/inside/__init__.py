"""What runs in a helper process, behind its walls. It imports no settings and nothing of ours."""
