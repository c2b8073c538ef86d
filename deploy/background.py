"""Workers, clocks and the process for messengers: what nobody connects to."""

from aws_cdk import aws_ecs as ecs
from constructs import Construct
from processes import Processes
from profile_of import Profile


class Background(Construct):
    """Services without an address."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        cluster: ecs.Cluster,
        processes: Processes,
        profile: Profile,
    ) -> None:
        super().__init__(scope, name)
        self._cluster = cluster
        cells = profile.cells_per_worker
        worker = processes.worker(profile.worker_cpu, profile.worker_memory_mib, cells)
        # How many there are is the operator's to say between two releases: without a number here,
        # a release changes nothing about it.
        self.workers = self._service("Workers", worker, None)
        self.clock = self._service("Clock", processes.clock(), profile.clock_tasks)
        self.messaging = self._service("Messaging", processes.messaging(), 1)

    @property
    def services(self) -> tuple[ecs.FargateService, ...]:
        return self.workers, self.clock, self.messaging

    def _service(
        self, name: str, task: ecs.FargateTaskDefinition, count: int | None
    ) -> ecs.FargateService:
        return ecs.FargateService(
            self,
            name,
            cluster=self._cluster,
            task_definition=task,
            desired_count=count,
            # The new ones first: turns go on in the old ones until they are drained.
            min_healthy_percent=100,
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
        )
