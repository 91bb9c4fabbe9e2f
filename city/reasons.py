"""Why something was refused or remarked on: three closed sets, each value labels a counter."""

import enum

__all__ = ["MessageReason", "Note", "ObservationReason"]


class MessageReason(enum.StrEnum):
    """Why a whole message waits in quarantine."""

    NO_ROUTE = "no_route"
    NO_CODEC = "no_codec"
    NO_PAYLOAD_CODEC = "no_payload_codec"
    OVERSIZE = "oversize"
    BOMB = "bomb"
    DECOMPRESS = "decompress"
    UTF8 = "utf8"
    NUL_BYTE = "nul_byte"
    JSON_SYNTAX = "json_syntax"
    JSON_NONFINITE = "json_nonfinite"
    JSON_DUPLICATE_KEY = "json_duplicate_key"
    JSON_DEPTH = "json_depth"
    MISSING_FIELD = "missing_field"
    MISSING_DEVICE = "missing_device"
    BAD_DEVICE_ID = "bad_device_id"
    DEVICE_MISMATCH = "device_mismatch"
    UNKNOWN_DEVICE = "unknown_device"
    BAD_TIME = "bad_time"
    TOO_MANY = "too_many"
    NO_OBSERVATIONS = "no_observations"
    NATIVE_VERSION = "native_version"
    BASE64 = "base64"
    CBOR_SYNTAX = "cbor_syntax"
    SENML_NAME = "senml_name"
    SENML_LABEL = "senml_label"
    SENML_VERSION = "senml_version"
    SENML_MUST_UNDERSTAND = "senml_must_understand"
    SENML_VALUE_COUNT = "senml_value_count"
    SENML_TYPE = "senml_type"
    UL_SYNTAX = "ul_syntax"
    LP_SYNTAX = "lp_syntax"
    UNKNOWN_DATASTREAM = "unknown_datastream"
    UNKNOWN_API_KEY = "unknown_api_key"
    LPP_TRUNCATED = "lpp_truncated"
    LPP_UNKNOWN_TYPE = "lpp_unknown_type"
    PROTOBUF_SYNTAX = "protobuf_syntax"
    SPARKPLUG_TOPIC = "sparkplug_topic"
    SPARKPLUG_NO_BIRTH = "sparkplug_no_birth"
    MAPPING_LENGTH = "mapping_length"
    MAPPING_NO_LAYOUT = "mapping_no_layout"
    CHECKSUM = "checksum"
    CODEC_ERROR = "codec_error"


class ObservationReason(enum.StrEnum):
    """Why one observation of an accepted message was rejected."""

    TYPE_MISMATCH = "type_mismatch"
    NONFINITE = "nonfinite"
    INTEGER_RANGE = "integer_range"
    BAD_QUANTITY = "bad_quantity"
    NESTED_ARRAY = "nested_array"
    TEXT_TOO_LONG = "text_too_long"
    OUT_OF_RANGE = "out_of_range"
    OUT_OF_MAPPING_RANGE = "out_of_mapping_range"
    MAPPING_TYPE = "mapping_type"
    UNSUPPORTED_DATATYPE = "unsupported_datatype"
    SPARKPLUG_UNKNOWN_ALIAS = "sparkplug_unknown_alias"
    BINARY_VALUE = "binary_value"
    UNIT_MISMATCH = "unit_mismatch"
    TIME_FUTURE = "time_future"
    UNKNOWN_DEVICE = "unknown_device"
    STORE_REFUSED = "store_refused"


class Note(enum.StrEnum):
    """What is kept with a stored observation, in `metadata.notes`."""

    CLOCK_NOT_SET = "clock_not_set"
    TIME_FUTURE = "time_future"
    TIME_AMBIGUOUS = "time_ambiguous"
    POSSIBLE_DUPLICATE = "possible_duplicate"
    CONFLICT = "conflict"
