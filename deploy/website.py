"""The website behind its load balancer."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as balancing
from constructs import Construct
from processes import WEB_PORT
from profile_of import Profile

# Event streams say something more often than that.
IDLE = cdk.Duration.seconds(60)
MOST_TASKS = 10
CPU_PERCENT = 60
# Errors of ours in a minute, twice in three minutes: then a release goes back.
MOST_ERRORS = 10


class Website(Construct):
    """HTTPS in front, tasks behind; a release that brings errors goes back by itself."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        vpc: ec2.Vpc,
        cluster: ecs.Cluster,
        task: ecs.FargateTaskDefinition,
        certificate_arn: str,
        profile: Profile,
    ) -> None:
        super().__init__(scope, name)
        self.balancer = balancing.ApplicationLoadBalancer(
            self,
            "Balancer",
            vpc=vpc,
            internet_facing=True,
            idle_timeout=IDLE,
            drop_invalid_header_fields=True,
            deletion_protection=profile.is_lasting,
        )
        self.balancer.add_redirect()
        self.errors = self._errors()
        self.service = ecs.FargateService(
            self,
            "Service",
            cluster=cluster,
            task_definition=task,
            desired_count=profile.web_tasks,
            min_healthy_percent=100,
            max_healthy_percent=200,
            health_check_grace_period=cdk.Duration.seconds(60),
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
            deployment_alarms=ecs.DeploymentAlarmConfig(
                alarm_names=[self.errors.alarm_name],
                behavior=ecs.AlarmBehavior.ROLLBACK_ON_ALARM,
            ),
        )
        self._listen(certificate_arn)
        scaling = self.service.auto_scale_task_count(
            min_capacity=profile.web_tasks, max_capacity=MOST_TASKS
        )
        scaling.scale_on_cpu_utilization("Cpu", target_utilization_percent=CPU_PERCENT)

    def _errors(self) -> cloudwatch.Alarm:
        # Without a metric of the service itself: it names the alarm, and neither could be first.
        errors = self.balancer.metrics.http_code_target(
            balancing.HttpCodeTarget.TARGET_5XX_COUNT, period=cdk.Duration.minutes(1)
        )
        return cloudwatch.Alarm(
            self,
            "Errors",
            metric=errors,
            threshold=MOST_ERRORS,
            evaluation_periods=3,
            datapoints_to_alarm=2,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _listen(self, certificate_arn: str) -> None:
        listener = self.balancer.add_listener(
            "Https",
            port=443,
            certificates=[balancing.ListenerCertificate.from_arn(certificate_arn)],
            ssl_policy=balancing.SslPolicy.RECOMMENDED_TLS,
        )
        listener.add_targets(
            "Web",
            port=WEB_PORT,
            protocol=balancing.ApplicationProtocol.HTTP,
            targets=[self.service],
            deregistration_delay=cdk.Duration.seconds(30),
            # Never /readyz: with a store away all tasks would be replaced, which mends nothing.
            health_check=balancing.HealthCheck(
                path="/healthz",
                interval=cdk.Duration.seconds(10),
                timeout=cdk.Duration.seconds(5),
                healthy_threshold_count=2,
                unhealthy_threshold_count=3,
            ),
        )
