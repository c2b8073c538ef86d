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
# For so long the website of before is kept beside the new one.
BAKE = cdk.Duration.minutes(5)
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
            # A whole new website beside the one of before; people go there at once, and back again
            # if an alarm rings within the time that both are kept.
            deployment_strategy=ecs.DeploymentStrategy.BLUE_GREEN,
            bake_time=BAKE,
            deployment_alarms=ecs.DeploymentAlarmConfig(
                alarm_names=[self.errors.alarm_name],
                behavior=ecs.AlarmBehavior.ROLLBACK_ON_ALARM,
            ),
        )
        self.groups = self._group("Blue", vpc), self._group("Green", vpc)
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
        blue, green = self.groups
        listener = self.balancer.add_listener(
            "Https",
            port=443,
            certificates=[balancing.ListenerCertificate.from_arn(certificate_arn)],
            ssl_policy=balancing.SslPolicy.RECOMMENDED_TLS,
            default_action=balancing.ListenerAction.fixed_response(404),
        )
        everything = balancing.ApplicationListenerRule(
            self,
            "Everything",
            listener=listener,
            priority=1,
            conditions=[balancing.ListenerCondition.path_patterns(["/*"])],
            # ECS moves the weights.
            action=balancing.ListenerAction.weighted_forward(
                [
                    balancing.WeightedTargetGroup(target_group=blue, weight=100),
                    balancing.WeightedTargetGroup(target_group=green, weight=0),
                ]
            ),
        )
        target = self.service.load_balancer_target(
            container_name="app",
            container_port=WEB_PORT,
            alternate_target=ecs.AlternateTarget(
                "Alternate",
                alternate_target_group=green,
                production_listener=ecs.ListenerRuleConfiguration.application_listener_rule(
                    everything
                ),
            ),
        )
        target.attach_to_application_target_group(blue)
        self.service.connections.allow_from(self.balancer, ec2.Port.tcp(WEB_PORT))
        self.service.node.add_dependency(everything)

    def _group(self, name: str, vpc: ec2.Vpc) -> balancing.ApplicationTargetGroup:
        return balancing.ApplicationTargetGroup(
            self,
            name,
            vpc=vpc,
            port=WEB_PORT,
            protocol=balancing.ApplicationProtocol.HTTP,
            target_type=balancing.TargetType.IP,
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
