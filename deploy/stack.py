"""All of an installation in one stack."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_ses as ses
from background import Background
from constructs import Construct
from network import Network
from processes import Processes, Release
from profile_of import Profile
from stores import Stores
from watching import Watching
from website import Website

KEPT_IMAGES = 30


class Images(cdk.Stack):
    """Where images are pushed to; it stands before anything can run."""

    def __init__(self, scope: Construct, name: str, **given: Any) -> None:
        super().__init__(scope, name, **given)
        self.web, self.worker = self._repository("Web"), self._repository("Worker")

    def _repository(self, name: str) -> ecr.Repository:
        made = ecr.Repository(
            self,
            name,
            image_scan_on_push=True,
            # A release is what it was when it was tried.
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            lifecycle_rules=[ecr.LifecycleRule(max_image_count=KEPT_IMAGES)],
        )
        cdk.CfnOutput(self, f"{name}Repository", value=made.repository_uri)
        return made


class Shellmate(cdk.Stack):
    """Takes the parameters Domain, CertificateArn, AlarmEmail and Tag (of both images)."""

    def __init__(
        self, scope: Construct, name: str, profile: Profile, images: Images, **given: Any
    ) -> None:
        super().__init__(scope, name, **given)
        domain = cdk.CfnParameter(self, "Domain", description="What people type").value_as_string
        certificate = cdk.CfnParameter(self, "CertificateArn").value_as_string
        listener = cdk.CfnParameter(
            self, "AlarmEmail", description="Who hears when something rings"
        ).value_as_string
        tag = cdk.CfnParameter(self, "Tag", description="Of both images").value_as_string
        release = Release(images.web, images.worker, tag, domain)
        vpc = Network(self, "Network", profile).vpc
        stores = Stores(self, "Stores", vpc, profile)
        processes = Processes(self, "Processes", stores, release)
        cluster = ecs.Cluster(
            self, "Cluster", vpc=vpc, container_insights_v2=ecs.ContainerInsights.ENABLED
        )
        website = Website(
            self,
            "Website",
            vpc=vpc,
            cluster=cluster,
            task=processes.web(),
            certificate_arn=certificate,
            profile=profile,
        )
        background = Background(
            self, "Background", cluster=cluster, processes=processes, profile=profile
        )
        for service in (website.service, *background.services):
            stores.admit(service)
        Watching(
            self,
            "Watching",
            stores=stores,
            website=website,
            groups=processes.logs,
            listener=listener,
            profile=profile,
        )
        sender = ses.EmailIdentity(self, "Sender", identity=ses.Identity.domain(domain))
        told = {
            "Address": website.balancer.load_balancer_dns_name,
            "ClusterName": cluster.cluster_name,
            "WebsiteName": website.service.service_name,
            "WorkersName": background.workers.service_name,
            "ClockName": background.clock.service_name,
            "MessagingName": background.messaging.service_name,
            # Mail is sent when these are in the domain's DNS.
            **{
                f"MailRecord{number}": f"{record.name} CNAME {record.value}"
                for number, record in enumerate(sender.dkim_records, 1)
            },
        }
        for key, value in told.items():
            cdk.CfnOutput(self, key, value=value)
