"""Schemas of the operators' kinds, which Kubernetes' schemas don't know: the fields that we use, closed, so mistakes are seen.

Written by hand from the operators' CRDs (Strimzi 1.2, CloudNativePG 1.30, KEDA 2.20), which are too large to keep here. Whether
an operator *accepts* a value (an image, a size, a Kafka configuration key) only a cluster with the operator tells.
"""

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
COUNT: Schema = {"type": "integer", "minimum": 1}
FLAG: Schema = {"type": "boolean"}
SIZE: Schema = {"type": "string", "pattern": r"^\d+(Mi|Gi|Ti)$"}
QUANTITY: Schema = {"type": "string", "pattern": r"^\d+(m|Mi|Gi)?$"}
TEXTS: Schema = {"type": "object", "additionalProperties": TEXT}
NUMBER: Schema = {"type": "string", "pattern": r"^\d+$"}
ANY: Schema = {"type": "object"}


def closed(_optional: tuple[str, ...] = (), **fields: Schema) -> Schema:
    """An object of these fields and no others, all required but the `_optional`; `a_b` means the key a.b, `__a` means -a."""
    names = {name.replace("__", "-").replace("_", "."): schema for name, schema in fields.items()}
    return {
        "type": "object",
        "properties": names,
        "required": [name for name in names if name not in _optional],
        "additionalProperties": False,
    }


def several(items: Schema) -> Schema:
    return {"type": "array", "items": items, "minItems": 1}


def one_of(*values: str) -> Schema:
    return {"enum": list(values)}


def custom(api: str, kind: str, spec: Schema) -> dict[tuple[str, str], Schema]:
    metadata = closed(("labels",), name=TEXT, namespace=TEXT, labels=TEXTS)
    return {(api, kind): closed(apiVersion={"const": api}, kind={"const": kind}, metadata=metadata, spec=spec)}


RESOURCES = closed(
    requests=closed(cpu=QUANTITY, memory=SIZE),
    limits=closed(memory=SIZE),
)

# Configuration of a topic and of the brokers is free in the CRD; misspelt keys are refused by Kafka, so here they are named.
TOPIC = custom(
    "kafka.strimzi.io/v1",
    "KafkaTopic",
    closed(
        partitions=COUNT,
        replicas=COUNT,
        config=closed(
            cleanup_policy=one_of("delete"),
            retention_ms=COUNT,
            segment_ms=COUNT,
            max_message_bytes=COUNT,
            min_insync_replicas=COUNT,
        ),
    ),
)

POOL = custom(
    "kafka.strimzi.io/v1",
    "KafkaNodePool",
    closed(
        ("template",),
        replicas=COUNT,
        roles=several(one_of("controller", "broker")),
        storage=closed(
            type=one_of("jbod"),
            volumes=several(
                closed(
                    id={"type": "integer"},
                    type=one_of("persistent-claim"),
                    size=SIZE,
                    kraftMetadata=one_of("shared"),
                    deleteClaim=FLAG,
                )
            ),
        ),
        resources=RESOURCES,
        jvmOptions=closed(__Xms=TEXT, __Xmx=TEXT),
        template=closed(
            pod=closed(("priorityClassName",), affinity=ANY, topologySpreadConstraints=several(ANY), priorityClassName=TEXT)
        ),
    ),
)

KAFKA = custom(
    "kafka.strimzi.io/v1",
    "Kafka",
    closed(
        kafka=closed(
            ("authorization",),
            metricsConfig=closed(type=one_of("strimziMetricsReporter"), values=closed(allowList=several(TEXT))),
            listeners=several(
                closed(
                    ("authentication",),
                    name=TEXT,
                    port=COUNT,
                    type=one_of("internal"),
                    tls=FLAG,
                    authentication=closed(type=one_of("scram-sha-512")),
                    networkPolicyPeers=several(ANY),
                ),
            ),
            authorization=closed(type=one_of("simple")),
            config=closed(
                auto_create_topics_enable={"const": False},
                default_replication_factor=COUNT,
                min_insync_replicas=COUNT,
                offsets_topic_replication_factor=COUNT,
                transaction_state_log_replication_factor=COUNT,
                transaction_state_log_min_isr=COUNT,
                offsets_retention_minutes=COUNT,
            ),
        ),
        entityOperator=closed(("userOperator",), topicOperator=ANY, userOperator=closed(secretPrefix=TEXT)),
    ),
)

USER = custom(
    "kafka.strimzi.io/v1",
    "KafkaUser",
    closed(
        authentication=closed(type=one_of("scram-sha-512")),
        authorization=closed(
            type=one_of("simple"),
            acls=several(
                closed(
                    resource=closed(type=one_of("topic", "group"), name=TEXT, patternType=one_of("literal")),
                    operations=several(one_of("Read", "Write", "Describe")),
                )
            ),
        ),
    ),
)

CLUSTER = custom(
    "postgresql.cnpg.io/v1",
    "Cluster",
    closed(
        ("plugins", "priorityClassName"),
        imageName=TEXT,
        instances=COUNT,
        bootstrap=closed(initdb=closed(database=TEXT, owner=TEXT)),
        postgresql=closed(
            ("synchronous",),
            parameters=TEXTS,
            synchronous=closed(method=one_of("any"), number=COUNT, dataDurability=one_of("required")),
        ),
        storage=closed(size=SIZE),
        walStorage=closed(size=SIZE),
        affinity=closed(enablePodAntiAffinity=FLAG, podAntiAffinityType=one_of("preferred", "required"), topologyKey=TEXT),
        topologySpreadConstraints=several(ANY),
        priorityClassName=TEXT,
        plugins=several(closed(name=TEXT, isWALArchiver=FLAG, parameters=closed(barmanObjectName=TEXT))),
        resources=RESOURCES,
    ),
)

SCALED = custom(
    "keda.sh/v1alpha1",
    "ScaledObject",
    closed(
        scaleTargetRef=closed(name=TEXT),
        minReplicaCount=COUNT,
        maxReplicaCount=COUNT,
        cooldownPeriod=COUNT,
        advanced=closed(horizontalPodAutoscalerConfig=ANY),
        triggers=several(
            {
                "oneOf": [
                    closed(type=one_of("cpu"), metricType=one_of("Utilization"), metadata=closed(value=NUMBER)),
                    closed(
                        ("authenticationRef",),
                        type=one_of("kafka"),
                        authenticationRef=closed(name=TEXT),
                        metadata=closed(
                            ("sasl", "tls"),
                            sasl=one_of("scram_sha512"),
                            tls=one_of("enable"),
                            bootstrapServers=TEXT,
                            consumerGroup=TEXT,
                            topic=TEXT,
                            lagThreshold=NUMBER,
                            offsetResetPolicy=one_of("earliest"),
                        ),
                    ),
                ]
            }
        ),
    ),
)

PARAMETERS = several(closed(parameter=TEXT, name=TEXT, key=TEXT))
AUTHENTICATION = custom(
    "keda.sh/v1alpha1", "TriggerAuthentication", closed(configMapTargetRef=PARAMETERS, secretTargetRef=PARAMETERS)
)

KAFKA_TLS = USER | AUTHENTICATION
"""The kinds that components/kafka-tls and components/keda-kafka-tls add."""

SCHEMAS = TOPIC | POOL | KAFKA | CLUSTER | SCALED
