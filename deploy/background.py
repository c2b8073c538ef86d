"""Workers, clocks and the process for messengers: what nobody connects to."""

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
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
        self._cluster, self._profile = cluster, profile
        cells = profile.cells_per_worker
        worker = processes.worker(profile.worker_cpu, profile.worker_memory_mib, cells)
        # How many there are is the clock's to say: without a number here, a release changes
        # nothing about it.
        self.workers = self._service("Workers", worker, None)
        self._let_protect(worker)
        self.clock = self._service("Clock", self._scaling_clock(processes), profile.clock_tasks)
        self.messaging = self._service("Messaging", processes.messaging(), 1)

    @property
    def services(self) -> tuple[ecs.FargateService, ...]:
        return self.workers, self.clock, self.messaging

    def _let_protect(self, worker: ecs.FargateTaskDefinition) -> None:
        """Let workers keep ECS from stopping them while a turn runs."""
        statement = iam.PolicyStatement(
            actions=["ecs:UpdateTaskProtection"],
            resources=[self._tasks_of_the_cluster()],
        )
        worker.add_to_task_role_policy(statement)

    def _scaling_clock(self, processes: Processes) -> ecs.FargateTaskDefinition:
        """Return the clock's task, which may say how many workers there are and nothing else."""
        own = {
            "ECS_CLUSTER": self._cluster.cluster_name,
            "ECS_WORKER_SERVICE": self.workers.service_name,
            "ECS_REGION": cdk.Stack.of(self).region,
            "FEWEST_WORKERS": str(self._profile.fewest_workers),
            "MOST_WORKERS": str(self._profile.most_workers),
        }
        clock = processes.clock(own)
        statement = iam.PolicyStatement(
            actions=["ecs:DescribeServices", "ecs:UpdateService"],
            resources=[self.workers.service_arn],
        )
        clock.add_to_task_role_policy(statement)
        return clock

    def _tasks_of_the_cluster(self) -> str:
        stack = cdk.Stack.of(self)
        return stack.format_arn(
            service="ecs", resource="task", resource_name=f"{self._cluster.cluster_name}/*"
        )

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
