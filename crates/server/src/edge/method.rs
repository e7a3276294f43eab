//! The methods that are served: the class whose bound each shares, and the shape of the call.
//!
//! A test holds the table against the descriptors, so that no method is forgotten.

/// Calls that share one bound on how many run at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Answered from a snapshot in microseconds.
    Read,
    /// Waits for the writer and the disk.
    Write,
    /// Holds much memory or a processor for long.
    Bulk,
    /// Asked by people.
    Admin,
    /// Open for as long as the caller likes.
    Watch,
    /// A conversation that is followed: open for long, and mostly silent.
    Conversation,
    /// Health and reflection: never refused, so that a full server can be told from a dead one.
    Open,
}

impl Class {
    /// How many classes there are.
    pub(super) const COUNT: usize = 7;

    /// Why a call is refused when the class is full, for programs and for people.
    pub(super) fn full(self) -> (&'static str, &'static str) {
        match self {
            Self::Read => ("READS_FULL", "too many reads at once"),
            Self::Write => ("WRITES_FULL", "too many writes at once"),
            Self::Bulk => ("BULKS_FULL", "too many imports, exports and batches at once"),
            Self::Admin => ("ADMINS_FULL", "too many administrative calls at once"),
            Self::Watch => ("WATCHES_FULL", "too many watches at once"),
            Self::Conversation => ("CONVERSATIONS_FULL", "too many conversations at once"),
            Self::Open => ("PROBES_FULL", "too many probes at once"),
        }
    }
}

/// How a call goes, which decides its deadline and how it is ended at shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// One request, one answer.
    Unary,
    /// One request, one answer after long work, which goes on when the caller has gone.
    Job,
    /// A stream of requests, one answer.
    Upload,
    /// One request, a stream of answers that ends by itself.
    Download,
    /// A stream of answers that ends only when someone goes: the caller, or this connection.
    Subscription,
}

/// A method as the transport sees it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Method {
    /// The request path, `/package.Service/Method`.
    pub(super) path: &'static str,
    /// Whose bound it shares.
    pub(super) class: Class,
    /// How it goes.
    pub(super) shape: Shape,
}

impl Method {
    /// How many there are, with the one that stands for all unknown ones.
    pub(super) const COUNT: usize = METHODS.len() + 1;

    /// All methods, each at its place.
    pub(super) fn all() -> impl Iterator<Item = &'static Self> {
        METHODS.iter().chain([&UNKNOWN])
    }

    /// Where among all of them it is.
    pub(super) fn place(&'static self) -> usize {
        Self::all().position(|method| std::ptr::eq(method, self)).unwrap_or(METHODS.len())
    }

    /// The method of a request path. All unknown ones are one method, so that callers cannot fill the log with names.
    pub(super) fn of(path: &str) -> &'static Self {
        METHODS.iter().find(|method| method.path == path).unwrap_or(&UNKNOWN)
    }
}

static UNKNOWN: Method = unary("(unknown)", Class::Admin);

/// The most frequent first: it is searched in order.
static METHODS: [Method; 44] = [
    unary("/sidecart.v1.RecommendationService/Recommend", Class::Read),
    unary("/sidecart.v1.RecommendationService/Explain", Class::Read),
    unary("/sidecart.v1.RecommendationService/BatchRecommend", Class::Bulk),
    shaped("/sidecart.v1.RecommendationService/Converse", Class::Conversation, Shape::Subscription),
    unary("/sidecart.v1.CatalogService/SetOffers", Class::Write),
    unary("/sidecart.v1.CatalogService/UpsertProducts", Class::Write),
    unary("/sidecart.v1.CatalogService/DeleteProducts", Class::Write),
    unary("/sidecart.v1.CatalogService/GetProduct", Class::Read),
    unary("/sidecart.v1.CatalogService/ListProducts", Class::Read),
    shaped("/sidecart.v1.CatalogService/ImportProducts", Class::Bulk, Shape::Upload),
    unary("/sidecart.v1.OrderService/RecordOrders", Class::Write),
    unary("/sidecart.v1.OrderService/GetOrder", Class::Read),
    shaped("/sidecart.v1.OrderService/ImportOrders", Class::Bulk, Shape::Upload),
    unary("/sidecart.v1.FollowUpService/LeaseFollowUps", Class::Write),
    unary("/sidecart.v1.FollowUpService/CompleteFollowUps", Class::Write),
    unary("/sidecart.v1.FollowUpService/ListFollowUps", Class::Read),
    unary("/sidecart.v1.FollowUpService/SetOptOut", Class::Write),
    shaped("/sidecart.v1.FollowUpService/EraseShopper", Class::Bulk, Shape::Job),
    shaped("/sidecart.v1.AffinityService/LearnAffinities", Class::Bulk, Shape::Job),
    shaped("/sidecart.v1.AffinityService/ImportAffinities", Class::Bulk, Shape::Upload),
    unary("/sidecart.v1.AffinityService/GetModel", Class::Read),
    unary("/sidecart.v1.AffinityService/ListAffinities", Class::Read),
    unary("/sidecart.v1.RulesService/UpsertRules", Class::Write),
    unary("/sidecart.v1.RulesService/DeleteRules", Class::Write),
    unary("/sidecart.v1.RulesService/ListRules", Class::Read),
    unary("/sidecart.v1.RulesService/LintRules", Class::Admin),
    unary("/sidecart.v1.RulesService/SimulateRules", Class::Bulk),
    unary("/sidecart.v1.RulesService/GetPolicy", Class::Read),
    unary("/sidecart.v1.RulesService/SetPolicy", Class::Write),
    unary("/sidecart.v1.RulesService/ListPolicies", Class::Read),
    unary("/sidecart.v1.RulesService/DeletePolicy", Class::Write),
    shaped("/sidecart.v1.RulesService/ReplaceRules", Class::Bulk, Shape::Upload),
    unary("/sidecart.v1.SnapshotService/GetSnapshot", Class::Read),
    unary("/sidecart.v1.SnapshotService/ListSnapshots", Class::Admin),
    unary("/sidecart.v1.SnapshotService/DiffSnapshots", Class::Admin),
    unary("/sidecart.v1.SnapshotService/RollBack", Class::Write),
    unary("/sidecart.v1.SnapshotService/ListMerchants", Class::Admin),
    shaped("/sidecart.v1.SnapshotService/Export", Class::Bulk, Shape::Download),
    shaped("/sidecart.v1.SnapshotService/Import", Class::Bulk, Shape::Upload),
    shaped("/sidecart.v1.SnapshotService/Watch", Class::Watch, Shape::Subscription),
    unary("/grpc.health.v1.Health/Check", Class::Open),
    shaped("/grpc.health.v1.Health/Watch", Class::Open, Shape::Subscription),
    shaped("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Class::Open, Shape::Subscription),
    shaped(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        Class::Open,
        Shape::Subscription,
    ),
];

const fn unary(path: &'static str, class: Class) -> Method {
    shaped(path, class, Shape::Unary)
}

const fn shaped(path: &'static str, class: Class, shape: Shape) -> Method {
    Method { path, class, shape }
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use prost_types::{FileDescriptorSet, MethodDescriptorProto};

    use super::*;

    fn check(path: &str, descriptor: &MethodDescriptorProto) {
        let method = Method::of(path);
        assert_ne!(method, &UNKNOWN, "{path} is missing from the table");
        let streams = (descriptor.client_streaming(), descriptor.server_streaming());
        let fits = match method.shape {
            Shape::Unary | Shape::Job => streams == (false, false),
            Shape::Upload => streams == (true, false),
            Shape::Download => streams == (false, true),
            Shape::Subscription => streams.1,
        };
        assert!(fits, "{path} is {:?}, its streams are {streams:?}", method.shape);
    }

    #[test]
    fn every_served_method_is_in_the_table() {
        for set in [
            sidecart::FILE_DESCRIPTOR_SET,
            tonic_health::pb::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
        ] {
            for file in FileDescriptorSet::decode(set).unwrap().file {
                for service in &file.service {
                    for method in &service.method {
                        let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                        check(&path, method);
                    }
                }
            }
        }
    }

    #[test]
    fn an_unknown_path_is_one_method() {
        assert_eq!(Method::of("/sidecart.v1.Nothing/Here"), &UNKNOWN);
    }
}
