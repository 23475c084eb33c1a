"""Probe entries of an engine, in the spelling of 1.10 and in that of 3.x, which differ in units and in nesting."""

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from .meta import Shape

Duration = Annotated[int | str | None, Meta(description="Whole seconds, or a duration such as 500ms, 5s, 2m.")]


class Comparator(Shape, frozen=True, kw_only=True):
    type: Annotated[str | None, Meta(description="int, float or string.")] = None
    criteria: Annotated[str, Meta(description="For instance >=, ==, oneOf, contains, matches.")]
    value: str


class K8sCommand(Shape, frozen=True, kw_only=True):
    """Where 1.10 keeps what 3.x writes directly below ``k8sProbe/inputs``."""

    group: str | None = None
    version: str | None = None
    resource: str | None = None
    namespace: str | None = None
    field_selector: str | None = None
    label_selector: str | None = None


class K8sProbe(Shape, frozen=True, kw_only=True):
    group: str | None = None
    version: str | None = None
    resource: str | None = None
    resource_names: Annotated[str | None, Meta(description="Names, separated by commas.")] = None
    namespace: str | None = None
    field_selector: str | None = None
    label_selector: str | None = None
    operation: Literal["create", "delete", "present", "absent"] | None = None
    command: K8sCommand | None = None
    expected_result: str | None = None


class HttpGet(Shape, frozen=True, kw_only=True):
    criteria: str
    response_code: str


class HttpPost(Shape, frozen=True, kw_only=True):
    content_type: str | None = None
    body: str | None = None
    body_path: str | None = None
    criteria: str
    response_code: str


class HttpMethod(Shape, frozen=True, kw_only=True):
    get: HttpGet | None = None
    post: HttpPost | None = None


class HttpProbe(Shape, frozen=True, kw_only=True):
    url: str
    insecure_skip_verify: bool | None = None
    method: HttpMethod | None = None
    expected_response_code: str | None = None
    response_body: Annotated[
        Comparator | None, Meta(description="Ours: of the answer's body, up to 1 MiB; string when it names no type.")
    ] = None
    latency: Annotated[
        Comparator | None, Meta(description="Ours: of the time until the whole answer was there, in milliseconds.")
    ] = None
    follow_redirects: Annotated[
        bool | None, Meta(description="Ours: judge what redirects lead to; when absent, the redirect itself.")
    ] = None


class CmdProbe(Shape, frozen=True, kw_only=True):
    command: str
    comparator: Comparator
    source: Annotated[
        Any, Meta(description="1.10: 'inline' or an image; 3.x: an object with an image and how to run it.")
    ] = None


class PromProbe(Shape, frozen=True, kw_only=True):
    endpoint: str
    query: str | None = None
    query_path: str | None = None
    comparator: Comparator
    insecure_skip_verify: bool | None = None
    range_step: Annotated[
        Duration,
        Meta(description="Ours: in Continuous and OnChaos, a range query whose points, so far apart, are all judged."),
    ] = None


class TrafficProbe(Shape, frozen=True, kw_only=True):
    """Ours: requests at a steady rate, whose outcomes and times are what ``status.impact`` is computed from."""

    url: Annotated[
        str,
        Meta(description="http://…, https://…, tcp://HOST:PORT (connects) or grpc://HOST:PORT[/SERVICE] (health)."),
    ]
    method: Annotated[str | None, Meta(description="Of HTTP; GET when absent.")] = None
    body: str | None = None
    content_type: str | None = None
    response_code: Annotated[str | None, Meta(description="Codes that are good, such as 200,204 or 200-399.")] = None
    rate: Annotated[
        Annotated[float, Meta(ge=0.01, le=1000)] | None, Meta(description="Requests a second; 10 when absent.")
    ] = None
    timeout: Annotated[Duration, Meta(description="Of one request; 1s when absent.")] = None
    insecure_skip_verify: bool | None = None
    source: Annotated[
        Any,
        Meta(description="'experiment' (the default) or 'pod': from a pod of its own beside the application."),
    ] = None


class RunProperties(Shape, frozen=True, kw_only=True):
    probe_timeout: Duration = None
    interval: Duration = None
    retry: int | None = None
    attempt: int | None = None
    probe_polling_interval: Duration = None
    initial_delay: Duration = None
    initial_delay_seconds: int | None = None
    evaluation_timeout: Duration = None
    verbosity: str | None = None
    stop_on_failure: bool | None = None


class Probe(Shape, frozen=True, kw_only=True):
    name: Annotated[str, Meta(description="Unique within the experiment.")]
    type: Literal["k8sProbe", "httpProbe", "cmdProbe", "promProbe", "sloProbe", "trafficProbe"]
    mode: Literal["SOT", "EOT", "Edge", "Continuous", "OnChaos"]
    operation: Annotated[
        Literal["create", "delete", "present", "absent"] | None, Meta(description="Of a k8sProbe, where 1.10 has it.")
    ] = None
    data: Annotated[str | None, Meta(description="Manifest for a k8sProbe that creates.")] = None
    k8s: K8sProbe | None = field(name="k8sProbe/inputs", default=None)
    http: HttpProbe | None = field(name="httpProbe/inputs", default=None)
    cmd: CmdProbe | None = field(name="cmdProbe/inputs", default=None)
    prom: PromProbe | None = field(name="promProbe/inputs", default=None)
    slo: dict[str, Any] | None = field(name="sloProbe/inputs", default=None)
    traffic: TrafficProbe | None = field(name="trafficProbe/inputs", default=None)
    run_properties: RunProperties | None = None
