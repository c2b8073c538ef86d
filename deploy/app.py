"""What `cdk` reads. The profile is `small`, or that of `--context profile=production`."""

import aws_cdk as cdk
from profile_of import PROFILES
from stack import Images, Shellmate

app = cdk.App()
chosen = app.node.try_get_context("profile") or "small"
if chosen not in PROFILES:
    raise SystemExit(f"There is no profile {chosen!r}, only {', '.join(PROFILES)}.")
images = Images(app, f"Shellmate-{chosen}-images")
Shellmate(app, f"Shellmate-{chosen}", PROFILES[chosen], images)
app.synth()
