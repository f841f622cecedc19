// dead-letters: what lies on a topic's dead-letter topic, with the reason; and back with it to the topic it came from, once
// the cause is mended. Nothing is remembered of it: what comes twice is told by its identity, as any second delivery is.
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <tuple>

#include "app/commands.hpp"
#include "app/environment.hpp"
#include "app/record_range.hpp"
#include "app/service.hpp"
#include "kafka/kafka_bus.hpp"
#include "skald/json.hpp"
#include "wire/cloud_events.hpp"
#include "wire/dead_letter.hpp"
#include "wire/place.hpp"

namespace skald::app {
namespace {

constexpr std::size_t kShownBytes = 300;                              ///< of a value or a reason
constexpr std::size_t kAllBytes = 4 * wire::kMaximumDeadLetterBytes;  ///< of a value in JSON, escaped
constexpr std::size_t kListed = 50;
constexpr std::chrono::seconds kPatience{30};  ///< for acknowledgements

Error wrong(std::string message) { return {ErrorKind::kInvalid, kCodeUsage, std::move(message)}; }

/// A record of a dead-letter topic; `letter` has the error of one that is none.
struct Found {
  Record record;
  Result<wire::DeadLetter> letter;
};

using Newest = std::multimap<Time, Found>;

std::string code_of(const Found& found) {
  if (!found.letter) return found.letter.error().code;
  return found.letter->code.empty() ? "-" : found.letter->code;
}

/// The topic and the range that the options name; `topic` may be given with or without its suffix.
Result<RangeSpec> range_of(const DeadLettersOptions& options) {
  RangeSpec spec;
  spec.topic = options.topic;
  if (!spec.topic.ends_with(wire::kDeadLetterSuffix)) spec.topic += wire::kDeadLetterSuffix;
  spec.partition = options.partition;
  if (options.offset) {
    if (!spec.partition) return wrong("--offset needs --partition");
    if (!options.from.empty() || !options.to.empty())
      return wrong("--offset is one record: no --from, no --to");
    spec.from_offset = options.offset;
    spec.to_offset = *options.offset + 1;
  }
  if (auto read = read_times(options.from, options.to, spec); !read) return read.error();
  return spec;
}

/// Gives each record of the range that has the code asked for.
Result<void> read_letters(Bus& bus, const DeadLettersOptions& options,
                          const std::function<Result<void>(std::vector<Found>)>& take) {
  const auto spec = range_of(options);
  if (!spec) return spec.error();
  const auto ranges = locate(bus, *spec);
  if (!ranges) return ranges.error();
  const SystemClock clock;
  return read_ranges(bus, clock, *ranges, [&](std::vector<Record> records) -> Result<void> {
    std::vector<Found> letters;
    for (Record& record : records) {
      auto letter = wire::read_dead_letter(record);
      Found found{std::move(record), std::move(letter)};
      if (options.code.empty() || code_of(found) == options.code) letters.push_back(std::move(found));
    }
    return take(std::move(letters));
  });
}

// --- list ------------------------------------------------------------------------------------------------------

std::string text_of(const Found& found) {
  const Record& record = found.record;
  std::string text = wire::place_of(record) + "  " + printable(code_of(found)) + "  " +
                     wire::format_time(record.timestamp) +
                     (record.key ? "  key " + printable(*record.key, 255) : std::string());
  if (found.letter)
    text += "  was " + wire::place_of(found.letter->topic, found.letter->partition, found.letter->offset);
  if (found.letter && found.letter->truncated) text += ", cut";
  text += "\n  " + printable(found.letter ? found.letter->reason : found.letter.error().message, kShownBytes);
  return text + "\n  " + (record.value ? printable(*record.value, kShownBytes) : "(no value)") + "\n";
}

void write_json(json::Writer& writer, const Found& found) {
  const auto member = [&writer](const char* name, const std::string& text) {
    writer.key(name);
    writer.string(text);
  };
  const Record& record = found.record;
  writer.begin_object();
  member("dead_letter", wire::place_of(record));
  member("code", printable(code_of(found), kShownBytes));
  member("at", wire::format_time(record.timestamp));
  if (found.letter) {
    const wire::DeadLetter& letter = *found.letter;
    member("reason", printable(letter.reason, kAllBytes));
    member("was", wire::place_of(letter.topic, letter.partition, letter.offset));
    member("was_at", wire::format_time(letter.timestamp));
    writer.key("cut");
    writer.boolean(letter.truncated);
  } else {
    member("reason", found.letter.error().message);
  }
  if (record.key) member("key", printable(*record.key, kAllBytes));
  if (record.value) member("value", printable(*record.value, kAllBytes));
  writer.key("headers");
  writer.begin_array();
  for (const Header& header : record.headers) {
    writer.begin_object();
    member("name", printable(header.name, kAllBytes));
    member("value", printable(header.value, kAllBytes));
    writer.end_object();
  }
  writer.end_array();
  writer.end_object();
}

void print_json(const Newest& newest, const std::map<std::string, std::size_t>& by_code) {
  json::Writer writer;
  writer.begin_object();
  writer.key("codes");
  writer.begin_object();
  for (const auto& [code, count] : by_code) {
    writer.key(printable(code));
    writer.unsigned_integer(count);
  }
  writer.end_object();
  writer.key("dead_letters");
  writer.begin_array();
  for (const auto& [at, found] : newest) write_json(writer, found);
  writer.end_array();
  writer.end_object();
  print(writer.take() + "\n");
}

void print_text(const Newest& newest, const std::map<std::string, std::size_t>& by_code) {
  std::size_t all = 0;
  std::string codes;
  for (const auto& [code, count] : by_code) {
    all += count;
    codes += (codes.empty() ? ": " : ", ") + std::to_string(count) + " " + printable(code);
  }
  for (const auto& [at, found] : newest) print(text_of(found));
  print(
      std::to_string(all) + (all == 1 ? " dead letter" : " dead letters") + codes +
      (newest.size() < all ? "; the newest " + std::to_string(newest.size()) + " are shown (--limit)" : "") +
      "\n");
}

// --- redrive ---------------------------------------------------------------------------------------------------

/// What Kafka said of each of one batch's messages; callbacks may come after nobody waits for them any more.
class Answers {
 public:
  void set(std::size_t index, Delivery delivery, const std::string& reason) {
    const std::lock_guard lock(mutex_);
    answers_[index] = {delivery, reason};
  }
  /// kUnknown: no answer yet.
  std::pair<Delivery, std::string> of(std::size_t index) {
    const std::lock_guard lock(mutex_);
    const auto found = answers_.find(index);
    return found == answers_.end() ? std::pair{Delivery::kUnknown, std::string("no answer of Kafka")}
                                   : found->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::size_t, std::pair<Delivery, std::string>> answers_;
};

/// The oldest so many of all partitions, whichever of them answers first.
class Portion {
 public:
  explicit Portion(std::size_t limit) : limit_(limit) {}

  void add(const Record& record) {
    places_.insert(place(record));
    if (places_.size() <= limit_ + 1) return;
    places_.erase(std::prev(places_.end()));
  }
  [[nodiscard]] bool contains(const Record& record) const {
    const auto found = places_.find(place(record));
    return found != places_.end() && !(places_.size() > limit_ && std::next(found) == places_.end());
  }
  /// When the first came that is left.
  [[nodiscard]] std::optional<Time> next() const {
    if (places_.size() <= limit_) return std::nullopt;
    return std::get<Time>(*places_.rbegin());
  }

 private:
  using Place = std::tuple<Time, std::int32_t, std::int64_t>;
  static Place place(const Record& record) { return {record.timestamp, record.partition, record.offset}; }

  const std::size_t limit_;
  std::set<Place> places_;  ///< one more than the limit: the first that is left
};

class Redrive {
 public:
  Redrive(Producer* producer, const DeadLettersOptions& options, const std::optional<Portion>& portion)
      : producer_(producer), options_(options), portion_(portion) {}

  Result<void> take(const std::vector<Found>& letters) {
    const auto answers = std::make_shared<Answers>();
    std::vector<const Found*> sent;
    for (const Found& found : letters) {
      if (!choose(found)) continue;
      if (producer_ == nullptr) {
        print("would go to " + destination(found) + ": " + text_of(found));
        ++done_;
        continue;
      }
      if (auto queued = send(found, answers, sent.size()); !queued) return queued;
      sent.push_back(&found);
    }
    if (sent.empty()) return {};
    producer_->flush(kPatience);
    for (std::size_t index = 0; index < sent.size(); ++index) settle(*sent[index], answers->of(index));
    return {};
  }

  /// There were some, and all of them, as far as the limit lets.
  [[nodiscard]] bool all_went() const { return done_ > 0 && refused_ + unknown_ == 0; }
  [[nodiscard]] std::string summary() const {
    std::string text = (producer_ == nullptr ? "would be put back: " : "put back: ") + std::to_string(done_);
    const auto add = [&text](std::size_t count, const std::string& what) {
      if (count > 0) text += ", " + what + ": " + std::to_string(count);
    };
    add(refused_, "refused");
    add(unknown_, "of unknown outcome (put them back again: what comes twice is applied once)");
    add(left_, "left, beyond --limit");
    if (portion_ && portion_->next())
      text += "; go on with --from " + wire::format_time(*portion_->next()) +
              " (what came in that millisecond comes again)";
    return text + "\n";
  }

 private:
  static std::string destination(const Found& found) {
    return found.letter->topic + "[" + std::to_string(found.letter->partition) + "]";
  }

  /// It can be put back, and there is room for it.
  bool choose(const Found& found) {
    if (portion_ && !portion_->contains(found.record)) {
      ++left_;
      return false;
    }
    std::string why;
    if (!found.letter)
      why = found.letter.error().message;
    else if (found.letter->truncated)
      why = "it was too large and is cut; the whole record stood at " +
            wire::place_of(found.letter->topic, found.letter->partition, found.letter->offset);
    if (why.empty()) return true;
    ++refused_;
    print(wire::place_of(found.record) + " is not put back: " + printable(why, kShownBytes) + "\n");
    return false;
  }

  Result<void> send(const Found& found, const std::shared_ptr<Answers>& answers, std::size_t index) {
    const Message message = wire::redriven(found.record, *found.letter, options_.who + ": " + options_.why);
    const auto queue = [&] {
      return producer_->produce(message, [answers, index](Delivery delivery, const std::string& reason) {
        answers->set(index, delivery, reason);
      });
    };
    auto queued = queue();
    if (!queued) {  // its queue is full
      producer_->flush(kPatience);
      queued = queue();
    }
    return queued;
  }

  void settle(const Found& found, const std::pair<Delivery, std::string>& answer) {
    if (answer.first == Delivery::kAcknowledged) {
      ++done_;
      return print(wire::place_of(found.record) + " is on " + destination(found) + "\n");
    }
    const bool refused = answer.first == Delivery::kRefused;
    ++(refused ? refused_ : unknown_);
    print(wire::place_of(found.record) + (refused ? " is refused by Kafka: " : " is of unknown outcome: ") +
          printable(answer.second, kShownBytes) + "\n");
  }

  Producer* const producer_;  ///< null: only says what it would do
  const DeadLettersOptions& options_;
  const std::optional<Portion>& portion_;  ///< none: no limit
  std::size_t done_ = 0, refused_ = 0, unknown_ = 0, left_ = 0;
};

Result<void> check_redrive(const DeadLettersOptions& options) {
  const bool chosen = options.offset || !options.code.empty() || !options.from.empty() || !options.to.empty();
  if (chosen && options.all) return wrong("--all says all of the topic; leave it out, or the other choice");
  if (!chosen && !options.all)
    return wrong("which ones? Say --partition and --offset, or --code, --from, --to, or --all");
  if (!options.dry_run && (options.who.empty() || options.why.empty()))
    return wrong("--who and --why say who decides and why; they stand in a header of the records");
  return {};
}

}  // namespace

int run_dead_letters_list(const Program& program, const DeadLettersOptions& options) {
  const auto config = program.config({.kafka = true});
  if (!config) return program.fail(config.error());
  NullLogger logger;
  const auto bus = kafka::open(kafka_options(*config, logger));
  if (!bus) return program.fail(bus.error());
  Newest newest;
  std::map<std::string, std::size_t> by_code;
  const auto read = read_letters(**bus, options, [&](std::vector<Found> letters) -> Result<void> {
    for (Found& found : letters) {
      ++by_code[code_of(found)];
      const Time at = found.record.timestamp;
      newest.emplace(at, std::move(found));
      if (newest.size() > options.limit.value_or(kListed)) newest.erase(newest.begin());
    }
    return {};
  });
  if (!read) return program.fail(read.error());
  options.json ? print_json(newest, by_code) : print_text(newest, by_code);
  return kExitOk;
}

int run_dead_letters_redrive(const Program& program, const DeadLettersOptions& options) {
  if (auto fits = check_redrive(options); !fits) return program.fail(fits.error());
  const auto config = program.config({.kafka = true});
  if (!config) return program.fail(config.error());
  NullLogger logger;
  const auto bus = kafka::open(kafka_options(*config, logger));
  if (!bus) return program.fail(bus.error());
  std::unique_ptr<Producer> producer;
  if (!options.dry_run) {
    auto made = (*bus)->producer();
    if (!made) return program.fail(made.error());
    producer = std::move(made).value();
  }
  std::optional<Portion> portion;
  if (options.limit) {
    portion.emplace(*options.limit);
    const auto looked = read_letters(**bus, options, [&](const std::vector<Found>& letters) -> Result<void> {
      for (const Found& found : letters) portion->add(found.record);
      return {};
    });
    if (!looked) return program.fail(looked.error());
  }
  Redrive redrive(producer.get(), options, portion);
  const auto read =
      read_letters(**bus, options, [&](const std::vector<Found>& letters) { return redrive.take(letters); });
  print(redrive.summary());
  if (!read) return program.fail(read.error());
  return redrive.all_went() ? kExitOk : kExitNo;
}

}  // namespace skald::app
