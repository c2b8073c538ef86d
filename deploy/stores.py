"""PostgreSQL, Valkey and S3."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secrets
from constructs import Construct
from profile_of import Profile

DATABASE = "shellmate"
VALKEY_PORT = 6379
ISOLATED = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)


class Stores(Construct):
    """What outlives every process. A lasting installation loses none of it with its stack."""

    def __init__(self, scope: Construct, name: str, vpc: ec2.Vpc, profile: Profile) -> None:
        super().__init__(scope, name)
        self._vpc = vpc
        self._profile = profile
        self.database = self._database()
        self.valkey_group = ec2.SecurityGroup(
            self, "ValkeyGroup", vpc=vpc, description="Valkey", allow_all_outbound=False
        )
        self.redis_url = self._valkey()
        self.bucket = self._bucket()

    def admit(self, process: ec2.IConnectable) -> None:
        """Let a process connect to the database and to Valkey."""
        self.database.connections.allow_default_port_from(process)
        self.valkey_group.connections.allow_from(process, ec2.Port.tcp(VALKEY_PORT))

    def _database(self) -> rds.DatabaseInstance:
        engine = rds.DatabaseInstanceEngine.postgres(
            version=rds.PostgresEngineVersion.of("18", "18")
        )
        parameters = {
            "rds.force_ssl": "1",
            "log_min_duration_statement": "500",
            "idle_in_transaction_session_timeout": "60000",
        }
        is_lasting = self._profile.is_lasting
        return rds.DatabaseInstance(
            self,
            "Database",
            engine=engine,
            vpc=self._vpc,
            vpc_subnets=ISOLATED,
            instance_type=ec2.InstanceType(self._profile.database),
            multi_az=is_lasting,
            allocated_storage=20,
            max_allocated_storage=500,
            storage_type=rds.StorageType.GP3,
            storage_encrypted=True,
            credentials=rds.Credentials.from_generated_secret(DATABASE),
            database_name=DATABASE,
            parameters=parameters,
            backup_retention=cdk.Duration.days(self._profile.backup_days),
            deletion_protection=is_lasting,
            cloudwatch_logs_exports=["postgresql"],
            cloudwatch_logs_retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=cdk.RemovalPolicy.SNAPSHOT if is_lasting else cdk.RemovalPolicy.DESTROY,
        )

    def _valkey(self) -> secrets.Secret:
        """Make Valkey, of nodes: in cluster mode a script of ours could not name two keys.

        Returns the secret that holds its whole address, password and all.
        """
        is_lasting = self._profile.is_lasting
        password = secrets.Secret(
            self,
            "ValkeyPassword",
            generate_secret_string=secrets.SecretStringGenerator(
                exclude_punctuation=True, password_length=64
            ),
        )
        subnets = elasticache.CfnSubnetGroup(
            self,
            "ValkeySubnets",
            description="Where Valkey is",
            subnet_ids=[subnet.subnet_id for subnet in self._vpc.isolated_subnets],
        )
        word = password.secret_value.unsafe_unwrap()
        self.valkey = group = elasticache.CfnReplicationGroup(
            self,
            "Valkey",
            replication_group_description="Wake-ups, live events, rate limits",
            engine="valkey",
            engine_version="8.1",
            cache_node_type=self._profile.cache,
            num_cache_clusters=2 if is_lasting else 1,
            automatic_failover_enabled=is_lasting,
            multi_az_enabled=is_lasting,
            at_rest_encryption_enabled=True,
            transit_encryption_enabled=True,
            auth_token=word,
            cache_subnet_group_name=subnets.ref,
            security_group_ids=[self.valkey_group.security_group_id],
        )
        address = f"rediss://:{word}@{group.attr_primary_end_point_address}:{VALKEY_PORT}/0"
        return secrets.Secret(
            self,
            "RedisUrl",
            # A reference that CloudFormation resolves; the template has no password in it.
            secret_string_value=cdk.SecretValue.unsafe_plain_text(address),
        )

    def _bucket(self) -> s3.Bucket:
        is_lasting = self._profile.is_lasting
        forgotten = s3.LifecycleRule(
            # What users delete is gone from backups too, a month later.
            noncurrent_version_expiration=cdk.Duration.days(30),
            abort_incomplete_multipart_upload_after=cdk.Duration.days(2),
        )
        return s3.Bucket(
            self,
            "Files",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
            lifecycle_rules=[forgotten],
            removal_policy=cdk.RemovalPolicy.RETAIN if is_lasting else cdk.RemovalPolicy.DESTROY,
            auto_delete_objects=False,
        )
