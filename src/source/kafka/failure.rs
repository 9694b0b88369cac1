//! What an error of librdkafka means for a run.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::error::Error;

/// Errors that no waiting mends.
pub(super) fn is_final(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::Fatal
            | RDKafkaErrorCode::Authentication
            | RDKafkaErrorCode::SaslAuthenticationFailed
            | RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::GroupAuthorizationFailed
            | RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::UnknownTopic
    )
}

/// The group shares its partitions out anew, and does not know this member as it was: with the next generation it may.
pub(super) fn is_of_a_rebalance(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::RebalanceInProgress
                | RDKafkaErrorCode::IllegalGeneration
                | RDKafkaErrorCode::UnknownMemberId
                | RDKafkaErrorCode::FencedMemberEpoch
                | RDKafkaErrorCode::StaleMemberEpoch
                | RDKafkaErrorCode::AssignmentLost
        )
    )
}

pub(super) fn failed(topic: &str, what: &str, cause: KafkaError) -> Error {
    let message = format!("the topic {topic} {what}");
    match cause.rdkafka_error_code() {
        Some(
            RDKafkaErrorCode::Authentication
            | RDKafkaErrorCode::SaslAuthenticationFailed
            | RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::GroupAuthorizationFailed,
        ) => Error::denied(message)
            .cause(cause)
            .hint("grant this user READ on the topic and on the consumer group"),
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            Error::configuration(message)
                .cause(cause)
                .hint("make the topic with `streamflow init`")
        }
        _ => Error::unavailable(message)
            .cause(cause)
            .hint("run the job again: it goes on from the committed offsets"),
    }
}
