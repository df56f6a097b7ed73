//! The macro in which every message is declared once, in the terms of Kafka's schemas.
//!
//! ```text
//! message! {
//!     /// What it is.
//!     request FetchRequest(Fetch, versions [4-18], flexible [12+], answer FetchResponse) {
//!         replica_id [0-14]: i32 = -1,            // in versions up to 14; its default is -1
//!         rack_id [11+]: String,                  // from version 11 on
//!         cluster_id [12+] nullable [0+] tag 0: Option<String>,
//!         topics [0+]: Vec<FetchTopic>,
//!     }
//!
//!     struct FetchTopic { ... }
//! }
//! ```
//!
//! A head is `request Name(Key, versions .., flexible .., answer Response)`, `response Name(Key,
//! versions .., flexible ..)`, `data Name(versions .., flexible ..)` for messages without an API,
//! or `struct Name` for what is inside others. `flexible [none]` means never. Versions are Kafka's,
//! but `0+` where a field is as old as the oldest version of what it is in.
//!
//! From each it makes the struct with public fields, [`Default`] with the schema's defaults (like
//! Kafka's, a nullable field without one of its own is empty, not null), [`Wire`](super::Wire) and
//! [`Message`](super::Message). A field that a version does not have keeps its default when read,
//! and is left out when written. Tagged fields come in ascending order of their tags, and only
//! those that differ from their default are written.

/// Declares messages: see the module.
macro_rules! message {
    ($(
        $(#[$meta:meta])*
        $kind:ident $name:ident $(( $($head:tt)* ))? { $($fields:tt)* }
    )*) => {$(
        message!(@struct [$(#[$meta])*] $name { $($fields)* });
        message!(@kind $kind $name $(( $($head)* ))?);
    )*};

    // Whether a version is among those of a field; constant where all versions are.
    (@in $version:expr, [0 +]) => { true };
    (@in $version:expr, [$min:literal +]) => { $version >= $min };
    (@in $version:expr, [0 - $max:literal]) => { $version <= $max };
    (@in $version:expr, [$min:literal - $max:literal]) => { ($min..=$max).contains(&$version) };
    (@in $version:expr, [$only:literal]) => { $version == $only };

    // The least bytes of a field: none unless every version has it, untagged.
    (@least $type:ty, [0 +]) => { <$type as $crate::protocol::Wire>::MIN_LEN };
    (@least $type:ty, $versions:tt $($tag:literal)?) => { 0 };

    (@default) => { Default::default() };
    (@default $default:expr) => { $default };

    (@versions [$min:literal - $max:literal]) => {
        $crate::protocol::Versions { min: $min, max: $max }
    };
    (@versions [$only:literal]) => { $crate::protocol::Versions { min: $only, max: $only } };
    (@flexible [none]) => { None };
    (@flexible [$min:literal +]) => { Some($min) };

    (@kind struct $name:ident) => {};
    (@kind data $name:ident (versions $versions:tt, flexible $flexible:tt)) => {
        impl $crate::protocol::Message for $name {
            const VERSIONS: $crate::protocol::Versions = message!(@versions $versions);
            const FLEXIBLE: Option<i16> = message!(@flexible $flexible);
        }
    };
    (@kind request $name:ident (
        $key:ident, versions $versions:tt, flexible $flexible:tt, answer $answer:ident
    )) => {
        message!(@kind data $name (versions $versions, flexible $flexible));
        impl $crate::protocol::Request for $name {
            const KEY: $crate::protocol::ApiKey = $crate::protocol::ApiKey::$key;
            type Response = $answer;
        }
    };
    (@kind response $name:ident (
        $key:ident, versions $versions:tt, flexible $flexible:tt
    )) => {
        message!(@kind data $name (versions $versions, flexible $flexible));
        impl $crate::protocol::Response for $name {
            const KEY: $crate::protocol::ApiKey = $crate::protocol::ApiKey::$key;
        }
    };

    // Untagged fields are read and written in their order; tagged ones among the tagged fields.
    (@read $self:ident $reader:ident $field:ident $versions:tt $tag:literal) => {};
    (@read $self:ident $reader:ident $field:ident $versions:tt) => {
        if message!(@in $reader.version(), $versions) {
            $crate::protocol::Wire::read(&mut $self.$field, $reader)?;
        }
    };
    (@write $self:ident $writer:ident $field:ident $versions:tt $tag:literal) => {};
    (@write $self:ident $writer:ident $field:ident $versions:tt) => {
        if message!(@in $writer.version(), $versions) {
            $crate::protocol::Wire::write(&$self.$field, $writer);
        }
    };

    (@tag $self:ident $tags:ident $field:ident $versions:tt $type:ty, [] $default:tt) => {};
    (
        @tag $self:ident $tags:ident $field:ident $versions:tt $type:ty,
        [$tag:literal] [$($default:expr)?]
    ) => {
        let default: $type = message!(@default $($default)?);
        if message!(@in $tags.version(), $versions) && $self.$field != default {
            $tags.field($tag, &mut |writer| $crate::protocol::Wire::write(&$self.$field, writer));
        }
    };

    (@struct [$(#[$meta:meta])*] $name:ident {
        $(
            $field:ident $versions:tt $( nullable $nullable:tt )? $( tag $tag:literal )? :
            $type:ty $( = $default:expr )?
        ),* $(,)?
    }) => {
        $(#[$meta])*
        #[allow(missing_docs, reason = "the fields are Kafka's, by Kafka's names")]
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $( pub $field: $type, )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: message!(@default $($default)?), )* }
            }
        }

        impl $crate::protocol::Wire for $name {
            const MIN_LEN: usize = {
                let least: usize = 0;
                $( let least = least.saturating_add(message!(@least $type, $versions $($tag)?)); )*
                least
            };

            #[allow(unused_variables, reason = "some structs have no tagged fields")]
            fn read(
                &mut self,
                reader: &mut $crate::protocol::Reader,
            ) -> Result<(), $crate::protocol::DecodeError> {
                $( message!(@read self reader $field $versions $($tag)?); )*
                reader.tagged_fields(&mut |reader, tag| {
                    match tag {
                        $($(
                            $tag => {
                                if !message!(@in reader.version(), $versions) {
                                    return Err($crate::protocol::DecodeError::Tag);
                                }
                                $crate::protocol::Wire::read(&mut self.$field, reader)?;
                            }
                        )?)*
                        _ => return Ok(false),
                    }
                    #[allow(unreachable_code, reason = "some structs have no tagged fields")]
                    Ok(true)
                })?;
                $($(
                    if !message!(@in reader.version(), $nullable) && self.$field.is_none() {
                        return Err($crate::protocol::DecodeError::Null);
                    }
                )?)*
                Ok(())
            }

            #[allow(unused_variables, reason = "some structs have no tagged fields")]
            fn write(&self, writer: &mut $crate::protocol::Writer) {
                $($(
                    if message!(@in writer.version(), $versions)
                        && !message!(@in writer.version(), $nullable)
                        && self.$field.is_none()
                    {
                        writer.fail($crate::protocol::EncodeError::Null);
                    }
                )?)*
                $( message!(@write self writer $field $versions $($tag)?); )*
                writer.tagged_fields(&mut |tags| {
                    $(
                        message!(@tag self tags $field $versions $type, [$($tag)?] [$($default)?]);
                    )*
                });
            }
        }

        impl $crate::protocol::Nullable for $name {
            fn read_nullable(
                reader: &mut $crate::protocol::Reader,
            ) -> Result<Option<Self>, $crate::protocol::DecodeError> {
                $crate::protocol::wire::read_nullable_struct(reader)
            }

            fn write_nullable(value: Option<&Self>, writer: &mut $crate::protocol::Writer) {
                $crate::protocol::wire::write_nullable_struct(value, writer);
            }
        }

        #[cfg(feature = "arbitrary")]
        impl $crate::protocol::arbitrary::Arbitrary for $name {
            #[allow(unused_variables, unused_mut, reason = "some structs have no fields")]
            fn arbitrary(source: &mut $crate::protocol::arbitrary::Source<'_>) -> Self {
                let mut made = Self::default();
                $(
                    if message!(@in source.version(), $versions) {
                        made.$field = $crate::protocol::arbitrary::Arbitrary::arbitrary(source);
                    }
                    $(
                        if !message!(@in source.version(), $nullable)
                            && made.$field.is_none()
                        {
                            made.$field = Some(Default::default());
                        }
                    )?
                )*
                made
            }
        }
    };
}
