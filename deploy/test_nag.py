"""AWS's own rules for solutions (cdk-nag), and cfn-lint: each departure has its reason here."""

import json
import subprocess
import sys
from pathlib import Path

import aws_cdk as cdk
import cdk_nag
import pytest
from profile_of import PROFILES
from stack import Images, Shellmate

# Why we do otherwise. A reason that nothing needs any more fails the test too.
REASONS = {
    "SMG4": "A key that changed by itself would sign everybody out, or stop the database: "
    "docs/operations/rotation.md has it done by hand.",
    "RDS11": "Nobody but our processes reaches the port, whatever its number is.",
    "AEC5": "The same: the group of Valkey lets our processes in alone.",
    "S1": "Who reads files is in the product's own log; only it has a key.",
    "ECS2": "What stands in the environment is no secret; secrets come from Secrets Manager.",
    "ELB2": "Each request is in the website's own log, with its id.",
    "EC23": "The website is for everybody.",
    "IAM4": "Amazon's own roles: for functions that CDK makes, and for ECS at the balancer.",
    "IAM5": "Objects of one bucket, tasks of one cluster, mail in one name: test_permissions.py.",
    # In the profile for trying out alone.
    "AEC4": "One zone is enough for trying it out.",
    "RDS3": "One zone is enough for trying it out.",
    "RDS10": "What is in a trial goes with it.",
    "RDS13": "A day of backups is enough for trying it out.",
}
# Lines that cannot be mended from here: CDK writes them.
CFN_LEFT_OUT = ("W3005",)


@pytest.fixture(scope="module", params=sorted(PROFILES))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthesised installation, looked at by the rules."""
    place = tmp_path_factory.mktemp(request.param)
    app = cdk.App(outdir=str(place))
    Shellmate(app, "Shellmate", PROFILES[request.param], Images(app, "Images"))
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))
    try:
        app.synth()
    except RuntimeError:
        # It ends so when it found anything; the report has all of it.
        return place
    return place


def found(folder: Path) -> set[str]:
    """The rules that object, by their short names."""
    report = json.loads((folder / "validation-report.json").read_text())
    rules = {
        violation["ruleName"]
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
    }
    return {rule.rpartition("AwsSolutions-")[2].partition("[")[0] for rule in rules}


def test_what_objects_has_its_reason(folder: Path) -> None:
    assert found(folder) <= REASONS.keys()


def test_a_reason_that_nothing_needs_goes(folder: Path) -> None:
    if "production" in folder.name:
        assert found(folder) == REASONS.keys() - {"AEC4", "RDS3", "RDS10", "RDS13"}


def test_the_template_is_one_that_cloudformation_takes(folder: Path) -> None:
    command = [
        str(Path(sys.executable).with_name("cfn-lint")),
        *(flag for rule in CFN_LEFT_OUT for flag in ("--ignore-checks", rule)),
        "--template",
        str(folder / "Shellmate.template.json"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
