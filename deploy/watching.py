"""What rings, who hears it, and the one page to look at."""

import re
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_elasticloadbalancingv2 as balancing
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct
from profile_of import Profile
from stores import Stores
from website import Website

NUMBERED = re.compile(r"(?:[0-9]|Blue|Green)$")
# What the product writes into its log: gateways/metrics.py.
NAMESPACE = "Shellmate"
MINUTE = cdk.Duration.minutes(1)
ABOVE = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
SILENCE_IS = cloudwatch.TreatMissingData


@dataclass(frozen=True)
class Ringing:
    """When an alarm rings: what is compared with what, and for how many minutes of how many."""

    threshold: float
    minutes: int
    comparison: cloudwatch.ComparisonOperator = ABOVE
    statistic: str = "Maximum"
    silence: cloudwatch.TreatMissingData = SILENCE_IS.NOT_BREACHING


# By the product's numbers: models/ops/gauges.py says what each is. Each has its part of
# docs/operations/alarms.md.
OURS = {
    # No number at all: the clock is gone, or the database.
    "Demand": Ringing(-1, 3, BELOW, silence=SILENCE_IS.BREACHING),
    "OldestWaitSeconds": Ringing(30, 3, statistic="Minimum"),
    "WorkersReady": Ringing(1, 5, BELOW),
    "WorkersWithoutCells": Ringing(0, 5, statistic="Minimum"),
    "TurnFailuresPercent": Ringing(5, 5, statistic="Minimum"),
    "ProviderErrorsPercent": Ringing(10, 5, statistic="Minimum"),
    "OpenFindings": Ringing(0, 1),
    "AuditAgeSeconds": Ringing(2.5 * 3600, 5),
    "MailLateSeconds": Ringing(600, 5, statistic="Minimum"),
}


class Watching(Construct):
    """Alarms, a dashboard, and a budget."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        stores: Stores,
        website: Website,
        groups: dict[str, logs.LogGroup],
        listener: str,
        profile: Profile,
    ) -> None:
        super().__init__(scope, name)
        self._topic = sns.Topic(self, "Alarms", enforce_ssl=True)
        sns.Subscription(
            self,
            "Listener",
            topic=self._topic,
            protocol=sns.SubscriptionProtocol.EMAIL,
            endpoint=listener,
        )
        self._ring(website.errors)
        self._watch_product(profile)
        self._watch_website(website)
        self._watch_database(stores, profile)
        self._watch_valkey(stores)
        self._watch_mail()
        self._watch_logs(groups)
        self._draw(website, stores)
        self._bound_costs(listener, profile)

    def _watch_product(self, profile: Profile) -> None:
        most = Ringing(profile.most_workers, 5, AT_LEAST, statistic="Minimum")
        for metric, ringing in {**OURS, "WorkersActive": most}.items():
            self._alarm(metric, _ours(metric, ringing.statistic), ringing)

    def _watch_website(self, website: Website) -> None:
        """Watch what no process can say itself: that there is none, or that it does not answer."""
        unanswered = website.balancer.metrics.http_code_elb(
            balancing.HttpCodeElb.ELB_5XX_COUNT, period=MINUTE
        )
        self._alarm("BalancerErrors", unanswered, Ringing(5, 3))
        for name, group in zip(("Blue", "Green"), website.groups, strict=True):
            unhealthy = group.metrics.unhealthy_host_count(period=MINUTE, statistic="Minimum")
            # A new task has its time to start.
            self._alarm(f"WebsiteUnhealthy{name}", unhealthy, Ringing(0, 5))

    def _watch_database(self, stores: Stores, profile: Profile) -> None:
        database, gigabyte = stores.database, 1024**3
        self._alarm("DatabaseCpu", database.metric_cpu_utilization(period=MINUTE), Ringing(80, 10))
        space = database.metric_free_storage_space(period=MINUTE, statistic="Minimum")
        self._alarm("DatabaseSpace", space, Ringing(4 * gigabyte, 5, BELOW))
        connections = database.metric_database_connections(period=MINUTE)
        self._alarm("DatabaseConnections", connections, Ringing(profile.many_connections, 5))

    def _watch_valkey(self, stores: Stores) -> None:
        """Watch each node: these numbers are by node alone, and nodes are named by a rule."""
        valkey = stores.valkey
        for metric, ringing in {
            "DatabaseMemoryUsagePercentage": Ringing(80, 5),
            # A key that was put out too soon is a wake-up or an event that nobody got.
            "Evictions": Ringing(0, 1, statistic="Sum"),
        }.items():
            for number in range(1, int(valkey.num_cache_clusters or 1) + 1):
                made = cloudwatch.Metric(
                    namespace="AWS/ElastiCache",
                    metric_name=metric,
                    dimensions_map={"CacheClusterId": f"{valkey.ref}-{number:03}"},
                    period=MINUTE,
                    statistic=ringing.statistic,
                )
                self._alarm(f"Valkey{metric}{number}", made, ringing)

    def _watch_mail(self) -> None:
        """Ring before SES pauses the account: at 10 % of bounces, 0.5 % of complaints."""
        for metric, part in {"BounceRate": 0.04, "ComplaintRate": 0.0008}.items():
            made = cloudwatch.Metric(
                namespace="AWS/SES",
                metric_name=f"Reputation.{metric}",
                period=cdk.Duration.hours(1),
                statistic="Maximum",
            )
            self._alarm(f"Mail{metric}", made, Ringing(part, 1))

    def _watch_logs(self, groups: dict[str, logs.LogGroup]) -> None:
        """Count lines of errors of all processes."""
        for name, group in groups.items():
            logs.MetricFilter(
                self,
                f"{name}Errors",
                log_group=group,
                filter_pattern=logs.FilterPattern.string_value("$.level", "=", "error"),
                metric_namespace=NAMESPACE,
                metric_name="ErrorLines",
                default_value=0,
            )
        self._alarm("ErrorLines", _ours("ErrorLines", "Sum"), Ringing(5, 5, statistic="Sum"))

    def _alarm(self, name: str, metric: cloudwatch.IMetric, ringing: Ringing) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            metric=metric,
            threshold=ringing.threshold,
            comparison_operator=ringing.comparison,
            evaluation_periods=ringing.minutes,
            datapoints_to_alarm=ringing.minutes,
            treat_missing_data=ringing.silence,
            # Those of several nodes or groups are one part there.
            alarm_description=f"docs/operations/alarms.md, {NUMBERED.sub('', name)}",
        )
        self._ring(alarm)

    def _ring(self, alarm: cloudwatch.Alarm) -> None:
        action = actions.SnsAction(self._topic)
        alarm.add_alarm_action(action)
        alarm.add_ok_action(action)

    def _draw(self, website: Website, stores: Stores) -> None:
        board = cloudwatch.Dashboard(self, "Board", default_interval=cdk.Duration.hours(3))
        served = ("OldestWaitSeconds", "TurnFailuresPercent", "ProviderErrorsPercent")
        workers = ("WorkersActive", "WorkersReady", "WorkersDraining", "Demand", "Cells")
        requests = website.balancer.metrics.request_count(period=MINUTE)
        slowest = website.balancer.metrics.target_response_time(period=MINUTE, statistic="p95")
        board.add_widgets(
            _graph("Are people served?", [_ours(one, "Maximum") for one in served]),
            _graph("Workers and demand", [_ours(one, "Average") for one in workers]),
        )
        board.add_widgets(
            _graph("Website", [requests, slowest]),
            _graph(
                "Stores",
                [
                    stores.database.metric_cpu_utilization(period=MINUTE),
                    stores.database.metric_database_connections(period=MINUTE),
                ],
            ),
        )
        problems = ("OpenFindings", "MailLateSeconds", "ErrorLines", "WorkersWithoutCells")
        board.add_widgets(_graph("Trouble", [_ours(one, "Maximum") for one in problems]))

    def _bound_costs(self, listener: str, profile: Profile) -> None:
        told = [
            budgets.CfnBudget.NotificationWithSubscribersProperty(
                notification=budgets.CfnBudget.NotificationProperty(
                    comparison_operator="GREATER_THAN",
                    notification_type="ACTUAL",
                    threshold=percent,
                ),
                subscribers=[
                    budgets.CfnBudget.SubscriberProperty(
                        address=listener, subscription_type="EMAIL"
                    )
                ],
            )
            for percent in (80, 100)
        ]
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(
                    amount=profile.budget_dollars, unit="USD"
                ),
            ),
            notifications_with_subscribers=told,
        )


def _ours(name: str, statistic: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=NAMESPACE, metric_name=name, period=MINUTE, statistic=statistic
    )


def _graph(title: str, metrics: list[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=metrics, width=12)
