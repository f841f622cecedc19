// The codes the runtime gives, each with a section in docs/errors.md. They stand in dead letters, in logs and
// in API answers.
#pragma once

#include <string_view>

namespace skald::runtime::code {

inline constexpr std::string_view kNotOurCommand =
    "SKALD-401";  ///< a reply that answers no command of this namespace
inline constexpr std::string_view kForgedReply =
    "SKALD-402";                                          ///< correlation and causation name different sagas
inline constexpr std::string_view kSagaId = "SKALD-403";  ///< not 1 to 255 visible ASCII characters
inline constexpr std::string_view kInput = "SKALD-404";   ///< does not fit the saga's input
inline constexpr std::string_view kTombstone = "SKALD-405";      ///< a record without a value
inline constexpr std::string_view kOtherInput = "SKALD-406";     ///< a second start with other input
inline constexpr std::string_view kNoSuchSaga = "SKALD-407";     ///< no such saga for too long
inline constexpr std::string_view kNoSuchAttempt = "SKALD-408";  ///< names an attempt the saga never made
inline constexpr std::string_view kMismatch = "SKALD-409";       ///< does not fit the step or signal it names
inline constexpr std::string_view kStoreRefuses = "SKALD-410";   ///< the database does not take it
inline constexpr std::string_view kUnknownSagaType = "SKALD-411";   ///< this binary has no saga of that name
inline constexpr std::string_view kPartitionStopped = "SKALD-412";  ///< the log is not the one we read before
inline constexpr std::string_view kUnreadableParked = "SKALD-413";  ///< a parked input nobody can decode
inline constexpr std::string_view kDiverged = "SKALD-414";          ///< history and code differ
inline constexpr std::string_view kNoTopic = "SKALD-415";           ///< a record of a topic nobody routes
inline constexpr std::string_view kElsewhere = "SKALD-416";         ///< the saga is another database's
inline constexpr std::string_view kNoCode = "SKALD-417";            ///< no code here for the saga's revision
inline constexpr std::string_view kPaused = "SKALD-419";            ///< a start of a paused definition
inline constexpr std::string_view kQuery = "SKALD-418";             ///< a query that the saga does not answer

}  // namespace skald::runtime::code
