"""Closed schemas of the kinds that optional components add; see `custom_resources`.

Written by hand from the CRDs of August 2026 of Prometheus Operator, the Gateway API, cert-manager, External Secrets and the
Barman Cloud plugin. The components were checked against these CRDs once, strictly.
"""

from tests.unit.deploy.custom_resources import (
    ANY,
    COUNT,
    FLAG,
    KAFKA_TLS,
    SCHEMAS,
    TEXT,
    TEXTS,
    Schema,
    closed,
    custom,
    one_of,
    several,
)

DURATION: Schema = {"type": "string", "pattern": r"^\d+(s|m|h|d)$"}

ENDPOINT = closed(
    ("path", "scrapeTimeout"),
    port=TEXT,
    path=TEXT,
    interval=DURATION,
    scrapeTimeout=DURATION,
    relabelings=several(closed(("replacement",), sourceLabels=several(TEXT), targetLabel=TEXT, replacement=TEXT)),
)

SERVICE_MONITOR = custom(
    "monitoring.coreos.com/v1", "ServiceMonitor", closed(selector=closed(matchLabels=TEXTS), endpoints=several(ENDPOINT))
)
POD_MONITOR = custom(
    "monitoring.coreos.com/v1",
    "PodMonitor",
    closed(selector=closed(matchExpressions=several(ANY)), podMetricsEndpoints=several(ENDPOINT)),
)
ALERT = closed(alert=TEXT, expr=TEXT, labels={**TEXTS, "required": ["severity"]}, annotations=closed(summary=TEXT, runbook=TEXT))
ALERT["properties"]["for"] = DURATION
RECORDING = closed(record=TEXT, expr=TEXT, labels=TEXTS)
PROMETHEUS_RULE = custom(
    "monitoring.coreos.com/v1",
    "PrometheusRule",
    closed(groups=several(closed(name=TEXT, rules=several({"oneOf": [RECORDING, ALERT]})))),
)

PATHS = several(closed(path=closed(type=one_of("Exact", "PathPrefix"), value=TEXT)))
BACKENDS = several(closed(name=TEXT, port=COUNT))
GATEWAY = custom(
    "gateway.networking.k8s.io/v1",
    "Gateway",
    closed(
        gatewayClassName=TEXT,
        listeners=several(
            closed(
                name=TEXT,
                hostname=TEXT,
                port=COUNT,
                protocol=one_of("HTTPS"),
                tls=closed(mode=one_of("Terminate"), certificateRefs=several(closed(name=TEXT))),
                allowedRoutes=closed(namespaces=ANY),
            )
        ),
    ),
)
ROUTE = custom(
    "gateway.networking.k8s.io/v1",
    "HTTPRoute",
    closed(
        parentRefs=several(closed(name=TEXT, sectionName=TEXT)),
        hostnames=several(TEXT),
        rules=several(closed(("timeouts",), matches=PATHS, timeouts=closed(request=DURATION), backendRefs=BACKENDS)),
    ),
)

ISSUER = custom(
    "cert-manager.io/v1",
    "Issuer",
    closed(acme=closed(server=TEXT, email=TEXT, privateKeySecretRef=closed(name=TEXT), solvers=several(ANY))),
)
CERTIFICATE = custom(
    "cert-manager.io/v1",
    "Certificate",
    closed(
        secretName=TEXT,
        dnsNames=several(TEXT),
        privateKey=closed(algorithm=one_of("ECDSA"), size=COUNT, rotationPolicy=one_of("Always")),
        issuerRef=closed(kind=one_of("Issuer"), name=TEXT),
    ),
)

STORE = custom("external-secrets.io/v1", "SecretStore", closed(provider=closed(vault=ANY)))
EXTERNAL_SECRET = custom(
    "external-secrets.io/v1",
    "ExternalSecret",
    closed(
        refreshInterval=DURATION,
        secretStoreRef=closed(kind=one_of("SecretStore"), name=TEXT),
        target=closed(name=TEXT, creationPolicy=one_of("Owner"), deletionPolicy=one_of("Retain")),
        dataFrom=several(closed(extract=closed(key=TEXT))),
    ),
)

KEY = closed(name=TEXT, key=TEXT)
PACKED = closed(compression=one_of("gzip"), encryption=one_of("AES256"))
OBJECT_STORE = custom(
    "barmancloud.cnpg.io/v1",
    "ObjectStore",
    closed(
        retentionPolicy=DURATION,
        configuration=closed(
            destinationPath=TEXT,
            endpointURL=TEXT,
            s3Credentials=closed(accessKeyId=KEY, secretAccessKey=KEY),
            wal=PACKED,
            data=PACKED,
        ),
    ),
)
SCHEDULED_BACKUP = custom(
    "postgresql.cnpg.io/v1",
    "ScheduledBackup",
    closed(
        cluster=closed(name=TEXT),
        schedule={"type": "string", "pattern": r"^(\S+ ){5}\S+$"},
        immediate=FLAG,
        backupOwnerReference=one_of("self"),
        method=one_of("plugin"),
        pluginConfiguration=closed(name=TEXT),
    ),
)

ALL_SCHEMAS = (
    SCHEMAS
    | KAFKA_TLS
    | SERVICE_MONITOR
    | POD_MONITOR
    | PROMETHEUS_RULE
    | GATEWAY
    | ROUTE
    | ISSUER
    | CERTIFICATE
    | STORE
    | EXTERNAL_SECRET
    | OBJECT_STORE
    | SCHEDULED_BACKUP
)
