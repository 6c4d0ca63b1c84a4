//! firehose_json
