// Reading cron expressions, and walking the calendar.
#include "schedules/cron.hpp"

#include <array>
#include <cctype>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace skald::schedules {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

constexpr std::string_view kMonths[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                        "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::string_view kWeekdays[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

struct FieldKind {
  std::string_view name;
  int first;
  int last;
  std::span<const std::string_view> names{};  ///< of the values from `first` on
};

const std::array<FieldKind, 5> kFields{FieldKind{"minute", 0, 59}, FieldKind{"hour", 0, 23},
                                       FieldKind{"day of month", 1, 31}, FieldKind{"month", 1, 12, kMonths},
                                       FieldKind{"day of week", 0, 7, kWeekdays}};

struct Shorthand {
  std::string_view name;
  std::string_view fields;
};
constexpr Shorthand kShorthands[] = {
    {"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}};

/// Feb 29 on a given weekday comes after 40 years at the latest, 2100 being no leap year.
constexpr days kHorizon{41 * 366};

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

Error wrong(std::string message) { return {ErrorKind::kInvalid, "", std::move(message)}; }

bool same_word(std::string_view text, std::string_view word) {
  if (text.size() != word.size()) return false;
  for (std::size_t index = 0; index < text.size(); ++index)
    if (std::toupper(static_cast<unsigned char>(text[index])) != word[index]) return false;
  return true;
}

std::optional<int> number_of(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  int number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

Result<int> value_of(const FieldKind& kind, std::string_view text) {
  for (std::size_t index = 0; index < kind.names.size(); ++index)
    if (same_word(text, kind.names[index])) return kind.first + static_cast<int>(index);
  const auto number = number_of(text);
  if (number && *number >= kind.first && *number <= kind.last) return *number;
  return wrong(
      quoted(text) + " is not from " + std::to_string(kind.first) + " to " + std::to_string(kind.last) +
      (kind.names.empty()
           ? ""
           : ", nor one of " + std::string(kind.names.front()) + " to " + std::string(kind.names.back())));
}

/// One item of a list: *, a value, a range, and a step of a range or of *.
Result<std::uint64_t> item_of(const FieldKind& kind, std::string_view item) {
  const std::size_t slash = item.find('/');
  const std::string_view range = item.substr(0, slash);
  const std::size_t dash = range.find('-');
  int first = kind.first;
  int last = kind.last;
  if (range != "*") {
    const auto begin = value_of(kind, range.substr(0, dash));
    if (!begin) return begin.error();
    const auto end = dash == std::string_view::npos ? begin : value_of(kind, range.substr(dash + 1));
    if (!end) return end.error();
    first = *begin;
    last = *end;
    if (last < first) return wrong("the range " + quoted(range) + " ends before it begins");
  }
  int step = 1;
  if (slash != std::string_view::npos) {
    const auto number = number_of(item.substr(slash + 1));
    if (!number || *number < 1) return wrong("the step of " + quoted(item) + " is no number from 1");
    if (range != "*" && dash == std::string_view::npos)
      return wrong("the step of " + quoted(item) + " needs a range or * before it");
    step = *number;
  }
  std::uint64_t bits = 0;
  for (int value = first; value <= last; value += step) bits |= std::uint64_t{1} << value;
  return bits;
}

Result<std::uint64_t> field_of(const FieldKind& kind, std::string_view text) {
  std::uint64_t bits = 0;
  while (true) {
    const std::size_t comma = text.find(',');
    const auto item = item_of(kind, text.substr(0, comma));
    if (!item) return item.error();
    bits |= *item;
    if (comma == std::string_view::npos) return bits;
    text = text.substr(comma + 1);
  }
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return words;
    text = text.substr(begin);
    const std::size_t end = text.find_first_of(" \t");
    words.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return words;
    text = text.substr(end);
  }
}

}  // namespace

Result<Cron> Cron::parse(std::string_view text) {
  const std::string where = "cron " + quoted(text.substr(0, kMaximumCronBytes)) + ": ";
  if (text.size() > kMaximumCronBytes)
    return wrong(where + "more than " + std::to_string(kMaximumCronBytes) + " characters");
  std::string_view fields = text;
  if (text.starts_with('@')) {
    for (const Shorthand& shorthand : kShorthands)
      if (shorthand.name == text) fields = shorthand.fields;
    if (fields == text)
      return wrong(where + "there are @hourly, @daily, @midnight, @weekly, @monthly, @yearly and @annually");
  }
  const auto words = words_of(fields);
  if (words.size() != kFields.size())
    return wrong(where + "it has " + std::to_string(words.size()) +
                 " fields and takes 5: minute, hour, day of month, month, day of week");
  std::array<std::uint64_t, 5> bits{};
  for (std::size_t index = 0; index < words.size(); ++index) {
    const auto field = field_of(kFields[index], words[index]);
    if (!field)
      return wrong(where + "field " + std::to_string(index + 1) + " (" + std::string(kFields[index].name) +
                   "): " + field.error().message);
    bits[index] = *field;
  }
  Cron cron;
  cron.minutes_ = bits[0];
  cron.hours_ = bits[1];
  cron.days_ = bits[2];
  cron.months_ = bits[3];
  cron.weekdays_ = (bits[4] & 0x7f) | (bits[4] >> 7);  // 7 is Sunday as well
  cron.either_day_ = !words[2].starts_with('*') && !words[4].starts_with('*');
  if (!cron.after(LocalMinute{})) return wrong(where + "no year has such a day");
  return cron;
}

bool Cron::has_day(const std::chrono::year_month_day& date) const {
  const std::chrono::weekday weekday{std::chrono::local_days{date}};
  const bool day = days_.test(static_cast<unsigned>(date.day()));
  const bool named = weekdays_.test(weekday.c_encoding());
  return either_day_ ? day || named : day && named;
}

std::optional<minutes> Cron::in_day(minutes from) const {
  for (minutes at = from; at < days(1);) {
    const auto hour = static_cast<std::size_t>(at / hours(1));
    if (!hours_.test(hour)) {
      at = hours(hour + 1);
      continue;
    }
    if (minutes_.test(static_cast<std::size_t>((at % hours(1)).count()))) return at;
    ++at;
  }
  return std::nullopt;
}

std::optional<LocalMinute> Cron::after(LocalMinute minute) const {
  const LocalMinute first = minute + minutes(1);
  auto day = std::chrono::floor<days>(first);
  minutes from = first - day;
  for (const auto end = day + kHorizon; day < end; from = minutes(0)) {
    const std::chrono::year_month_day date{day};
    if (!months_.test(static_cast<unsigned>(date.month()))) {
      day = std::chrono::local_days{(date.year() / date.month() / 1) + std::chrono::months(1)};
      continue;
    }
    if (has_day(date))
      if (const auto at = in_day(from)) return day + *at;
    day += days(1);
  }
  return std::nullopt;
}

}  // namespace skald::schedules
