// What surrounds the code of docs/long-steps.md.
#include <stdexcept>

#include "skald/participant.hpp"
#include "skald/skald.hpp"

struct PriceFile {
  std::string path;
  int lines = 0;
};
SKALD_FIELDS(PriceFile, path, lines)
struct Imported {
  int lines = 0;
};
SKALD_FIELDS(Imported, lines)
struct Claim {
  std::string id;
};
SKALD_FIELDS(Claim, id)
struct Estimate {
  std::int64_t cents = 0;
};
SKALD_FIELDS(Estimate, cents)

void import_line(const std::string&, int) {}
void mail_appraiser(const Claim&, const std::string&) {}

#include "long-steps-1.inc"

void handle(skald::participant::Service& service) {
#include "long-steps-2.inc"
}

template skald::StepDefinition skald::detail::make_step_definition<ImportPrices>();
template skald::StepDefinition skald::detail::make_step_definition<Appraise>();
