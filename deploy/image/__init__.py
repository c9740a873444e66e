"""What belongs to the image beside its Dockerfile."""
