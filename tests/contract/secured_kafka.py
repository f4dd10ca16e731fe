"""A Kafka broker with TLS and SASL, its certificates, and its users."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiokafka.conn import create_conn
from aiokafka.protocol.admin import CreateAclsRequest

from deploy.k8s.users import Rights
from deploy.local.ports import HOST, free_port_base
from deploy.local.servers import Kafka
from shared.brokers import Brokers, BrokerSettings
from tests.contract.certificates import write_certificates
from tests.contract.tokens import AUDIENCE, Issuer

USER, PASSWORD = "earshot", "correct-horse"
"""A user who may do everything, as may the plain listener and the client's certificate."""
SERVICES = ("ingest", "sentiment", "metrics", "gateway", "keda")
"""Users with the same password, who have the rights that `grant` gives them."""

RESOURCES = {"topic": 2, "group": 3}
OPERATIONS = {"Read": 3, "Write": 4, "Describe": 8}
LITERAL, ALLOW = 3, 3
"""Codes of Kafka's protocol (https://kafka.apache.org/protocol)."""

TOKEN_VALIDATOR = "org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler"
"""Kafka's own validator of signed tokens."""

PROPERTIES = """
listeners=PLAINTEXT://{host}:{plain},CONTROLLER://{host}:{controller},SASL_SSL://{host}:{sasl},SSL://{host}:{tls}
advertised.listeners=PLAINTEXT://{host}:{plain},SASL_SSL://{host}:{sasl},SSL://{host}:{tls}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512,SCRAM-SHA-256,PLAIN,OAUTHBEARER
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
  user_{user}="{password}";
listener.name.sasl_ssl.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule \\
  required   unsecuredLoginStringClaim_sub="{user}";
listener.name.sasl_ssl.oauthbearer.sasl.server.callback.handler.class={handler}
sasl.oauthbearer.jwks.endpoint.url={key_set}
sasl.oauthbearer.expected.audience={audience}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:{user};User:CN=client
ssl.keystore.type=PEM
ssl.keystore.location={folder}/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.crt
listener.name.ssl.ssl.client.auth=required
"""


@dataclass(frozen=True)
class SecuredKafka:
    """A running broker. `folder` holds ca.crt, client.crt and client.key."""

    folder: Path
    plain: str
    sasl: str
    tls: str
    issuer: Issuer
    """The identity provider whose tokens the broker accepts."""

    def scram(self, password: str = PASSWORD, mechanism: str = "SCRAM-SHA-512", user: str = USER) -> Brokers:
        """The listener with SASL and a user, as a service reads them from its environment variables."""
        variables = {
            "KAFKA_BOOTSTRAP_SERVERS": self.sasl,
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_MECHANISM": mechanism,
            "KAFKA_SASL_USERNAME": user,
            "KAFKA_SASL_PASSWORD": password,
            "KAFKA_SSL_CA_FILE": self.folder / "ca.crt",
        }
        return BrokerSettings.model_validate(variables).brokers

    def oauth(self, token_file: Path) -> Brokers:
        """The listener with SASL, and the token in a file."""
        variables = {
            "KAFKA_BOOTSTRAP_SERVERS": self.sasl,
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_MECHANISM": "OAUTHBEARER",
            "KAFKA_SASL_TOKEN_FILE": token_file,
            "KAFKA_SSL_CA_FILE": self.folder / "ca.crt",
        }
        return BrokerSettings.model_validate(variables).brokers

    def mutual_tls(self) -> Brokers:
        """The listener that requires a certificate, and the client's."""
        variables = {
            "KAFKA_BOOTSTRAP_SERVERS": self.tls,
            "KAFKA_SECURITY_PROTOCOL": "SSL",
            "KAFKA_SSL_CA_FILE": self.folder / "ca.crt",
            "KAFKA_SSL_CERTIFICATE_FILE": self.folder / "client.crt",
            "KAFKA_SSL_KEY_FILE": self.folder / "client.key",
        }
        return BrokerSettings.model_validate(variables).brokers


@asynccontextmanager
async def secured_kafka(folder: Path) -> AsyncIterator[SecuredKafka]:
    """A broker with a plain listener, one with SASL over TLS, and one with mutual TLS."""
    write_certificates(folder)
    issuer, key_set = Issuer(), folder / "keys.json"
    key_set.write_text(issuer.key_set())
    plain, controller, sasl, tls = range(base := free_port_base(4), base + 4)
    properties = PROPERTIES.format(
        host=HOST,
        plain=plain,
        controller=controller,
        sasl=sasl,
        tls=tls,
        folder=folder,
        user=USER,
        password=PASSWORD,
        handler=TOKEN_VALIDATOR,
        key_set=key_set.as_uri(),
        audience=AUDIENCE,
    )
    scram = [f"SCRAM-SHA-512=[name={user},password={PASSWORD}]" for user in (USER, *SERVICES)]
    options = [
        option for user in (*scram, f"SCRAM-SHA-256=[name={USER},password={PASSWORD}]") for option in ("--add-scram", user)
    ]
    allowed = f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={key_set.as_uri()}"
    server = Kafka(folder / "kafka", plain, controller, properties=properties, format_options=options, jvm_options=[allowed])
    await server.start()
    try:
        yield SecuredKafka(folder, f"{HOST}:{plain}", f"{HOST}:{sasl}", f"{HOST}:{tls}", issuer)
    finally:
        await server.stop()


async def grant(plain: str, rights: Mapping[str, Rights]) -> None:
    """Create the ACLs of users, as Strimzi's User Operator does from a KafkaUser."""
    acls = [
        (RESOURCES[kind], name, LITERAL, f"User:{user}", "*", OPERATIONS[operation], ALLOW)
        for user, allowed in rights.items()
        for (kind, name), operations in allowed.items()
        for operation in operations
    ]
    host, port = plain.split(":")
    connection = await create_conn(host, int(port))
    try:
        for acl in acls:
            response = await connection.send(CreateAclsRequest(*acl))
            assert [code for code, _ in response.creation_responses] == [0], acl
    finally:
        connection.close()
