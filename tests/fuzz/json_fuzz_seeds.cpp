// Runs the JSON fuzz target over every seed file, and over each seed cut short and with single bytes changed: the part
// of fuzzing that is the same on every run, so that an ordinary build and the sanitizer builds have it too.
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void run(const std::string& text) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
}

TEST(JsonFuzzSeeds, HoldForEverySeedAndItsNeighbours) {
  int seeds = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SKALD_FUZZ_SEEDS)) {
    SCOPED_TRACE(entry.path().string());
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string seed{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    run(seed);
    ++seeds;
    for (std::size_t place = 0; place < seed.size() && place < 200; ++place) {
      run(seed.substr(0, place));
      for (const char byte : {'"', '\\', '{', ']', ',', '0', 'e', '-', '\0', '\x80', '\xED', 'u'}) {
        std::string neighbour = seed;
        neighbour[place] = byte;
        run(neighbour);
      }
    }
  }
  EXPECT_GE(seeds, 10) << "the seeds were not found";
}

}  // namespace
