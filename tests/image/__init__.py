"""The image, run by podman as the chart would have it run. `make image-test` builds it and runs these tests."""
