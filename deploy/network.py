"""The network: load balancer outside, processes with a way out, stores with none."""

from aws_cdk import aws_ec2 as ec2
from constructs import Construct
from profile_of import Profile


class Network(Construct):
    """A VPC with a public, a private and an isolated subnet in each zone."""

    def __init__(self, scope: Construct, name: str, profile: Profile) -> None:
        super().__init__(scope, name)
        kinds = {
            "public": ec2.SubnetType.PUBLIC,
            "processes": ec2.SubnetType.PRIVATE_WITH_EGRESS,
            "stores": ec2.SubnetType.PRIVATE_ISOLATED,
        }
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=profile.zones,
            nat_gateways=profile.zones if profile.is_lasting else 1,
            subnet_configuration=[
                ec2.SubnetConfiguration(name=name, subnet_type=kind, cidr_mask=22)
                for name, kind in kinds.items()
            ],
            # Users' files take a way that costs nothing.
            gateway_endpoints={
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)
            },
            flow_logs={"Refused": ec2.FlowLogOptions(traffic_type=ec2.FlowLogTrafficType.REJECT)},
        )
