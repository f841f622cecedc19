// The inbox's table, row by row: what a command may do, given what its key has settled.
#include <gtest/gtest.h>

#include "participant/inbox.hpp"

namespace skald::participant::detail {
namespace {

using wire::Phase;

struct Case {
  const char* name;
  Settled settled;
  Phase phase;
  bool is_remembered;
  bool is_expired;
  Verdict verdict;
};

class InboxTable : public testing::TestWithParam<Case> {};

TEST_P(InboxTable, GivesTheVerdict) {
  const auto& given = GetParam();
  EXPECT_EQ(judge({given.settled, "{}"}, given.phase, given.is_remembered, given.is_expired), given.verdict);
}

constexpr Phase kAction = Phase::kAction;
constexpr Phase kUndo = Phase::kCompensation;

INSTANTIATE_TEST_SUITE_P(
    Inbox, InboxTable,
    testing::Values(
        Case{"NewActionExecutes", Settled::kOpen, kAction, false, false, Verdict::kExecute},
        Case{"FailedActionSentAgainIsRemembered", Settled::kOpen, kAction, true, false, Verdict::kRemembered},
        Case{"ExpiredActionDoesNothing", Settled::kOpen, kAction, false, true, Verdict::kExpired},
        Case{"RememberedOutlivesExpiry", Settled::kOpen, kAction, true, true, Verdict::kRemembered},
        Case{"CompensationFirstCancels", Settled::kOpen, kUndo, false, false, Verdict::kCancel},
        Case{"ExpiredCompensationDoesNothing", Settled::kOpen, kUndo, false, true, Verdict::kExpired},
        Case{"DoneActionIsStored", Settled::kDone, kAction, false, false, Verdict::kStored},
        Case{"DoneActionIsStoredThoughExpired", Settled::kDone, kAction, false, true, Verdict::kStored},
        Case{"DoneActionIsStoredThoughItFailedOnce", Settled::kDone, kAction, true, false, Verdict::kStored},
        Case{"DoneActionIsCompensated", Settled::kDone, kUndo, false, false, Verdict::kCompensate},
        Case{"FailedCompensationSentAgainIsRemembered", Settled::kDone, kUndo, true, false,
             Verdict::kRemembered},
        Case{"ExpiredCompensationOfADoneActionDoesNothing", Settled::kDone, kUndo, false, true,
             Verdict::kExpired},
        Case{"ActionCompletedLaterIsNotAnswered", Settled::kLater, kAction, false, true, Verdict::kSilent},
        Case{"ActionCompletedLaterIsCompensated", Settled::kLater, kUndo, false, false, Verdict::kCompensate},
        Case{"RefusedActionStaysRefused", Settled::kRefused, kAction, false, false, Verdict::kStoredFailure},
        Case{"RefusedActionHasNothingToUndo", Settled::kRefused, kUndo, false, true, Verdict::kNothingToUndo},
        Case{"ActionAfterItsCompensationDoesNothing", Settled::kCancelled, kAction, false, false,
             Verdict::kCancelled},
        Case{"CancelledActionStaysCancelledThoughRemembered", Settled::kCancelled, kAction, true, true,
             Verdict::kCancelled},
        Case{"RepeatedCompensationDoesNothing", Settled::kCancelled, kUndo, false, false,
             Verdict::kNothingToUndo}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace skald::participant::detail
