"""What the spec of a CustomResourceDefinition may say.

What all versions say alike is judged once and under the name where a real server keeps it: ``spec.validation``,
``spec.subresources``, ``spec.additionalPrinterColumns``.
Source: the API reference, CustomResourceDefinitionSpec; apiextensions-apiserver's validation, whose texts these are.
"""

from litmus.sandbox.machinery import names, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import schema_rules, structural, validation
from .versions import hoisted

_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_AT_ROOT = (
    "description", "type", "format", "title", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum",
    "maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "multipleOf", "required", "items",
    "properties", "externalDocs", "example", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-validations",
)  # fmt: skip
"""What may stand at the root of a schema beside a status subresource, whose part of the schema is taken out alone."""
_SHOWN_AT_ROOT = (
    "[Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern "
    "MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields "
    "XValidations]"
)


def causes(spec: Obj) -> list[Cause]:
    """What is wrong with the spec of a definition."""
    found = _group(spec.get("group", ""))
    found += _one_of("spec.scope", spec.get("scope", ""), ("Cluster", "Namespaced"))
    if spec.get("preserveUnknownFields"):
        text = "cannot set to true, set x-preserve-unknown-fields to true in spec.versions[*].schema instead"
        found.append(status.invalid_value("spec.preserveUnknownFields", True, text))
    listed = spec.get("versions") or []
    for index, version in enumerate(listed):
        if not (version.get("schema") or {}).get("openAPIV3Schema"):
            at = f"spec.versions[{index}].schema.openAPIV3Schema"
            found.append(status.required(at, "schemas are required"))
    for index, version in enumerate(listed):
        found += _version(spec, version, index)
    called = [version.get("name") for version in listed]
    if len(set(called)) < len(called):
        found.append(status.invalid_value("spec.versions", listed, "must contain unique version names"))
    if [bool(version.get("storage")) for version in listed].count(True) != 1:
        text = "must have exactly one version marked as storage version"
        found.append(status.invalid_value("spec.versions", listed, text))
    return [*found, *_names(spec.get("names") or {}), *_hoisted_parts(spec), *_conversion(spec.get("conversion") or {})]


def _group(group: str) -> list[Cause]:
    if not group:
        return [status.required("spec.group")]
    if wrong := names.subdomain(group):
        return [status.invalid_value("spec.group", group, ",".join(wrong))]
    return (
        [] if "." in group else [status.invalid_value("spec.group", group, "should be a domain with at least one dot")]
    )


def _one_of(field: str, value: str, allowed: tuple[str, ...]) -> list[Cause]:
    if not value:
        return [status.required(field)]
    return [] if value in allowed else [validation.unsupported(field, value, allowed)]


def _version(spec: Obj, version: Obj, index: int) -> list[Cause]:
    """What stands in one version; what all versions say alike is judged once, where the server moves it to."""
    at = f"spec.versions[{index}]"
    found = []
    if wrong := names.label_1035(version.get("name", "")):
        found.append(status.invalid_value(f"{at}.name", version.get("name", ""), ",".join(wrong)))
    warning = version.get("deprecationWarning")
    if warning is not None and not version.get("deprecated"):
        text = "can only be set for deprecated versions"
        found.append(status.invalid_value(f"{at}.deprecationWarning", warning, text))
    if not hoisted(spec, "schema"):
        found += _schema(version, f"{at}.schema")
    if not hoisted(spec, "subresources"):
        found += _subresources(version, f"{at}.subresources")
    if not hoisted(spec, "additionalPrinterColumns"):
        found += _columns(version, f"{at}.additionalPrinterColumns")
    return found


def _hoisted_parts(spec: Obj) -> list[Cause]:
    first = (spec.get("versions") or [{}])[0]
    found = _schema(first, "spec.validation") if hoisted(spec, "schema") else []
    found += _subresources(first, "spec.subresources") if hoisted(spec, "subresources") else []
    columns = hoisted(spec, "additionalPrinterColumns")
    return found + (_columns(first, "spec.additionalPrinterColumns") if columns else [])


def _schema(version: Obj, path: str) -> list[Cause]:
    props = (version.get("schema") or {}).get("openAPIV3Schema")
    if not props:
        return []
    at = f"{path}.openAPIV3Schema"
    found = []
    if "status" in (version.get("subresources") or {}) and not set(props) <= set(_AT_ROOT):
        text = (
            f"only {_SHOWN_AT_ROOT} fields are allowed at the root of the schema if the status subresource is enabled"
        )
        found.append(status.invalid_value(at, props, text))
    if props.get("nullable"):
        found.append(status.forbidden_field(f"{at}.nullable", "nullable cannot be true at the root"))
    keywords = schema_rules.causes(props, at)
    if any(cause.message.endswith(schema_rules.UNSUPPORTED) for cause in keywords):
        return [*found, *keywords]  # nobody can say what such a schema means
    shape = structural.causes(props, at)
    return [*found, *keywords, *(shape or schema_rules.default_causes(props, at))]


def _subresources(version: Obj, path: str) -> list[Cause]:
    scale = (version.get("subresources") or {}).get("scale")
    if scale is None:
        return []
    found = _scale_path(scale.get("specReplicasPath", ""), f"{path}.scale.specReplicasPath", (".spec.",))
    found += _scale_path(scale.get("statusReplicasPath", ""), f"{path}.scale.statusReplicasPath", (".status.",))
    if scale.get("labelSelectorPath"):
        at = f"{path}.scale.labelSelectorPath"
        found += _scale_path(scale["labelSelectorPath"], at, (".spec.", ".status."))
    return found


def _scale_path(value: str, at: str, below: tuple[str, ...]) -> list[Cause]:
    if not value:
        return [status.required(at)]
    if not value.startswith("."):
        return [status.invalid_value(at, value, "must be a simple json path starting with .")]
    if value.startswith(below):
        return []
    where = below[0].rstrip(".") if len(below) == 1 else "either .spec or .status"
    return [status.invalid_value(at, value, f"should be a json path under {where}")]


def _columns(version: Obj, path: str) -> list[Cause]:
    found = []
    for index, column in enumerate(version.get("additionalPrinterColumns") or []):
        at = f"{path}[{index}]"
        if not column.get("name"):
            found.append(status.required(f"{at}.name"))
        said, types = column.get("type", ""), f"must be one of {','.join(_COLUMN_TYPES)}"
        if not said:
            found.append(status.required(f"{at}.type", types))
        elif said not in _COLUMN_TYPES:
            found.append(status.invalid_value(f"{at}.type", said, types))
        if column.get("format") and column["format"] not in _COLUMN_FORMATS:
            text = f"must be one of {','.join(_COLUMN_FORMATS)}"
            found.append(status.invalid_value(f"{at}.format", column["format"], text))
        where = column.get("jsonPath", "")
        if not where:
            found.append(status.required(f"{at}.JSONPath"))
        elif not where.startswith("."):
            text = "must be a simple json path starting with ."
            found.append(status.invalid_value(f"{at}.JSONPath", where, text))
    return found


def _names(called: Obj) -> list[Cause]:
    found = [
        status.required(f"spec.names.{word}")
        for word in ("plural", "singular", "kind", "listKind")
        if not called.get(word)
    ]
    found += [
        status.invalid_value(f"spec.names.{word}", called[word], ",".join(wrong))
        for word in ("plural", "singular")
        if called.get(word) and (wrong := names.label_1035(called[word]))
    ]
    for word in ("kind", "listKind"):
        if called.get(word) and (wrong := names.label_1035(called[word].lower())):
            text = f"may have mixed case, but should otherwise match: {','.join(wrong)}"
            found.append(status.invalid_value(f"spec.names.{word}", called[word], text))
    found += _labels("shortNames", called)
    if called.get("kind") and called["kind"] == called.get("listKind"):
        text = "kind and listKind may not be the same"
        found.append(status.invalid_value("spec.names.listKind", called["listKind"], text))
    return found + _labels("categories", called)


def _labels(word: str, called: Obj) -> list[Cause]:
    return [
        status.invalid_value(f"spec.names.{word}[{index}]", name, ",".join(wrong))
        for index, name in enumerate(called.get(word) or [])
        if (wrong := names.label_1035(name))
    ]


def _conversion(conversion: Obj) -> list[Cause]:
    at = "spec.conversion"
    found = _one_of(f"{at}.strategy", conversion.get("strategy", ""), ("None", "Webhook"))
    webhook = conversion.get("webhook") or {}
    if conversion.get("strategy") == "Webhook":
        config = webhook.get("clientConfig")
        if config is None:
            found.append(status.required(f"{at}.webhookClientConfig", "required when strategy is set to Webhook"))
        elif bool(config.get("url")) == bool(config.get("service")):
            text = "exactly one of url or service is required"
            found.append(status.required(f"{at}.webhookClientConfig", text))
        if not webhook.get("conversionReviewVersions"):
            found.append(status.required(f"{at}.conversionReviewVersions"))
    elif webhook:
        text = "should not be set when strategy is not set to Webhook"
        found.append(status.forbidden_field(f"{at}.webhookClientConfig", text))
    return found
