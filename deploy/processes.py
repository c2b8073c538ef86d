"""The processes of the product as tasks: what each is given, and what it may do."""

import json
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secrets
from constructs import Construct
from stores import DATABASE, Stores

WEB_PORT = 8000
NOBODY = "10001"
# The product's own keys, all of one secret. What is empty is not set, so it is not offered. Where
# the secret is filled in already, another name here would let CloudFormation write it anew: keep a
# copy of it, and put its values back.
KEYS = (
    *("SECRET_KEY", "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY"),
    *("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "SENTRY_DSN", "READYZ_TOKEN"),
    *("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", "BRAVE_SEARCH_API_KEY", "EXA_API_KEY"),
    *("TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET", "VAPID_PRIVATE_KEY"),
)
# Of what Docker gives to a container: nothing here needs these.
NOT_NEEDED = (
    ecs.Capability.AUDIT_WRITE,
    ecs.Capability.FSETID,
    ecs.Capability.NET_BIND_SERVICE,
    ecs.Capability.NET_RAW,
    ecs.Capability.SETFCAP,
)
# What the product asks of S3, by calls.json.
OBJECT_ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
BUCKET_ACTIONS = ("s3:ListBucket",)
CELLS = "/jail/cells"
TMP = "/tmp"  # noqa: S108  # a folder of the task's own


@dataclass(frozen=True)
class Release:
    """What is deployed, and where it is called."""

    web: ecr.IRepository
    worker: ecr.IRepository
    tag: str
    domain: str


class Processes(Construct):
    """Makes the task definitions."""

    def __init__(self, scope: Construct, name: str, stores: Stores, release: Release) -> None:
        super().__init__(scope, name)
        self._stores = stores
        self._release = release
        self.logs: dict[str, logs.LogGroup] = {}
        self._keys = secrets.Secret(
            self,
            "Keys",
            description="Keys of providers and of Stripe, to be filled in by hand",
            generate_secret_string=secrets.SecretStringGenerator(
                secret_string_template=json.dumps(dict.fromkeys(KEYS[1:], "")),
                generate_string_key=KEYS[0],
                exclude_punctuation=True,
                password_length=64,
            ),
        )

    def web(self) -> ecs.FargateTaskDefinition:
        """Return the website's task."""
        task = self._task("Web", cpu=1024, memory_mib=2048)
        self._add(task, "Web", "web", stop_seconds=60, port=WEB_PORT)
        return task

    def clock(self, own: dict[str, str]) -> ecs.FargateTaskDefinition:
        """Return the clock's task, with settings of its own."""
        task = self._task("Clock", cpu=256, memory_mib=512)
        self._add(task, "Clock", "clock", stop_seconds=30, own=own)
        return task

    def messaging(self) -> ecs.FargateTaskDefinition:
        task = self._task("Messaging", cpu=256, memory_mib=1024)
        self._add(task, "Messaging", "messaging", stop_seconds=30)
        return task

    def worker(self, cpu: int, memory_mib: int, cells: int) -> ecs.FargateTaskDefinition:
        """Return the task of a worker: root, so that each cell has a uid of its own."""
        task = self._task("Worker", cpu=cpu, memory_mib=memory_mib)
        # Mail is sent by workers alone, and in one name.
        mail = iam.PolicyStatement(
            actions=["ses:SendEmail", "ses:SendRawEmail"],
            resources=["*"],
            conditions={"StringEquals": {"ses:FromAddress": self._sender}},
        )
        task.add_to_task_role_policy(mail)
        task.add_volume(name="cells")
        own = {"SANDBOX": "jail", "CELLS_PER_WORKER": str(cells)}
        container = self._add(task, "Worker", "worker", stop_seconds=120, own=own)
        container.add_mount_points(
            ecs.MountPoint(container_path=CELLS, source_volume="cells", read_only=False)
        )
        return task

    def _task(self, name: str, *, cpu: int, memory_mib: int) -> ecs.FargateTaskDefinition:
        task = ecs.FargateTaskDefinition(
            self,
            f"{name}Task",
            cpu=cpu,
            memory_limit_mib=memory_mib,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.ARM64,
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
        )
        task.add_volume(name="tmp")
        bucket = self._stores.bucket
        for actions, resource in (
            (OBJECT_ACTIONS, bucket.arn_for_objects("*")),
            (BUCKET_ACTIONS, bucket.bucket_arn),
        ):
            statement = iam.PolicyStatement(actions=list(actions), resources=[resource])
            task.add_to_task_role_policy(statement)
        return task

    def _add(
        self,
        task: ecs.FargateTaskDefinition,
        name: str,
        command: str,
        *,
        stop_seconds: int,
        port: int | None = None,
        own: dict[str, str] | None = None,
    ) -> ecs.ContainerDefinition:
        is_worker = name == "Worker"
        image = self._image(is_worker=is_worker)
        given: dict[str, Any] = {
            "image": image,
            "secrets": self._secrets(),
            "readonly_root_filesystem": True,
            "logging": self._log(name),
        }
        migration = task.add_container(
            "migrate",
            command=["migrate"],
            user=NOBODY,
            environment=self._settings(),
            linux_parameters=self._limits(f"{name}Migration", is_worker=False),
            # It ends, and the process begins; of several tasks that start at once one does it.
            essential=False,
            **given,
        )
        container = task.add_container(
            "app",
            command=[command],
            user="0" if is_worker else NOBODY,
            environment={**self._settings(), **(own or {})},
            linux_parameters=self._limits(name, is_worker=is_worker),
            stop_timeout=cdk.Duration.seconds(stop_seconds),
            port_mappings=[ecs.PortMapping(container_port=port)] if port else [],
            **given,
        )
        container.add_container_dependencies(
            ecs.ContainerDependency(
                container=migration, condition=ecs.ContainerDependencyCondition.SUCCESS
            )
        )
        for one in (migration, container):
            one.add_mount_points(
                ecs.MountPoint(container_path=TMP, source_volume="tmp", read_only=False)
            )
        return container

    def _image(self, *, is_worker: bool) -> ecs.ContainerImage:
        release = self._release
        repository = release.worker if is_worker else release.web
        return ecs.ContainerImage.from_ecr_repository(repository, release.tag)

    def _limits(self, name: str, *, is_worker: bool) -> ecs.LinuxParameters:
        limits = ecs.LinuxParameters(self, f"{name}Linux", init_process_enabled=True)
        limits.drop_capabilities(*(NOT_NEEDED if is_worker else (ecs.Capability.ALL,)))
        return limits

    def _log(self, name: str) -> ecs.LogDriver:
        group = logs.LogGroup(
            self,
            f"{name}Log",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.logs[name] = group
        # A log that is slow stops no process.
        return ecs.LogDrivers.aws_logs(
            stream_prefix=name.lower(), log_group=group, mode=ecs.AwsLogDriverMode.NON_BLOCKING
        )

    @property
    def _sender(self) -> str:
        return f"hello@{self._release.domain}"

    def _settings(self) -> dict[str, str]:
        region = cdk.Stack.of(self).region
        return {
            "PUBLIC_URL": f"https://{self._release.domain}",
            "RELEASE": self._release.tag,
            "TRUSTED_PROXIES": "1",
            # The rest of the address comes by libpq's own variables.
            "DATABASE_URL": f"postgresql:///{DATABASE}",
            "PGHOST": self._stores.database.db_instance_endpoint_address,
            "PGSSLMODE": "require",
            "S3_BUCKET": self._stores.bucket.bucket_name,
            "S3_REGION": region,
            "MAIL_BY_SES": "true",
            "SES_REGION": region,
            "MAIL_FROM": self._sender,
        }

    def _secrets(self) -> dict[str, ecs.Secret]:
        login = self._stores.database.secret
        if login is None:
            raise ValueError("The database has no login of its own.")
        return {
            "PGUSER": ecs.Secret.from_secrets_manager(login, "username"),
            "PGPASSWORD": ecs.Secret.from_secrets_manager(login, "password"),
            "REDIS_URL": ecs.Secret.from_secrets_manager(self._stores.redis_url),
            **{key: ecs.Secret.from_secrets_manager(self._keys, key) for key in KEYS},
        }
