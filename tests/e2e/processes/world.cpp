// Configuration, commands and files of a world.
#include "world.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <random>
#include <stdexcept>

#include "skald/json.hpp"

namespace skald::e2e {
namespace {

using namespace std::chrono_literals;

const std::string kBuild = SKALD_BUILD_DIR;
const std::string kSource = SKALD_SOURCE_DIR;

std::string required(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set: ./dev test sets it");
  return value;
}

std::string random_name() {
  std::random_device random;
  return "e2e" + std::to_string(random() % 100'000'000);
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int run(const std::vector<std::string>& command, const std::string& output_file,
        const std::map<std::string, std::string>& environment = {}) {
  Process process{command, output_file, environment};
  return process.wait(120s).value_or(-1);
}

}  // namespace

std::int64_t Outcome::number(const std::string& key) const {
  const auto document = json::Document::parse(report);
  if (!document) return -1;
  const auto member = document.value().root().find(key);
  return member ? member->as_int64().value_or(-1) : -1;
}

World::Cluster World::given() { return {required("SKALD_TEST_KAFKA"), required("SKALD_TEST_POSTGRES")}; }

World::World(Cluster cluster, std::string program)
    : cluster_(std::move(cluster)),
      program_(std::move(program)),
      name_(random_name()),
      folder_(std::filesystem::temp_directory_path() / name_) {
  std::filesystem::create_directories(folder_);
  database_ = create_database(cluster_.postgres);
}

World::~World() {
  load_.reset();
  participants_.clear();
  if (!testing::Test::HasFailure()) std::filesystem::remove_all(folder_);
}

std::string World::create_database(const std::string& postgres) const {
  const std::vector<std::string> command{"/usr/bin/psql", "-X", "-q", "-c", "CREATE DATABASE " + name_,
                                         postgres};
  if (run(command, file("psql.log")) != 0) throw std::runtime_error("no database: " + postgres);
  return postgres.substr(0, postgres.rfind('/') + 1) + name_;
}

void World::divide(const std::string& postgres, const std::string& first_slots,
                   const std::string& second_slots) {
  if (second_.empty()) second_ = create_database(postgres);
  slots_[0] = first_slots;
  slots_[1] = second_slots;
}

void World::sql(const std::string& statement) {
  EXPECT_EQ(run({"/usr/bin/psql", "-X", "-q", "-c", statement, database_}, file("psql.log")), 0) << statement;
}

std::int64_t World::number(const std::string& query) {
  std::filesystem::remove(file("number.log"));
  Process process{{"/usr/bin/psql", "-X", "-q", "-A", "-t", "-c", query, database_}, file("number.log")};
  if (process.wait(60s) != 0) return -1;
  return std::atoll(process.output().c_str());
}

std::string World::database_uri(const std::string& user) const {
  auto uri = database_;
  const auto begin = uri.find("//") + 2;
  return uri.replace(begin, uri.find('@') - begin, user);
}

std::string World::databases() const {
  if (second_.empty()) return "postgres: {uri: \"" + database_ + "\"}\n";
  return "databases:\n  first: {uri: \"" + database_ + "\", slots: \"" + slots_[0] +
         "\", replies: " + replies_topic() + "}\n  second: {uri: \"" + second_ + "\", slots: \"" + slots_[1] +
         "\"}\n";
}

void World::write_config(const std::string& path, int port) const {
  std::ofstream out{path};
  out << "namespace: " << name_ << "\n"
      << databases() << "kafka:\n  bootstrap_servers: " << cluster_.kafka
      << "\n  properties: {session.timeout.ms: 3000}\n"
      << "topics: {create: true, partitions: 6}\n"
      << "http: {listen: \"127.0.0.1:" << port << "\"}\n"
      << "runtime: {heartbeat_interval: 500ms, incarnation_lease: 3s, foreign_grace: 2s, adopt_interval: "
         "500ms"
      << more_runtime_ << "}\n"
      << more_configuration_;
  if (program_ != "examples/place-order" && program_ != "tests/e2e/reprocessed") return;
  out << "triggers:\n  order-placed: {topic: " << topic("orders") << "}\n"
      << "steps:\n"
      << "  reserve-stock: {topic: " << topic("inventory") << "}\n"
      << "  charge-card: {topic: " << topic("payments") << "}\n"
      << "  ship-order: {topic: " << topic("shipping") << ", start_to_close: 15s, schedule_to_close: 15s}\n";
}

void World::prepare() {
  std::string output;
  ASSERT_EQ(place_order({"migrate"}, output), 0) << output;
  for (const std::string participant : {"inventory", "payments", "shipping"}) {
    std::vector<std::string> command{kBuild + "/examples/order/participants/order-" + participant};
    for (const std::string argument : {"--kafka", cluster_.kafka.c_str(), "--postgres", database_.c_str(),
                                       "--kafka-property", "session.timeout.ms=6000"})
      command.push_back(argument);
    command.insert(command.end(),
                   {"--schema", participant, "--group", topic(participant), "--topic", topic(participant)});
    command.insert(command.end(), participant_arguments_.begin(), participant_arguments_.end());
    participants_.push_back(std::make_unique<Process>(command, file(participant + ".log")));
    participant_commands_.push_back(std::move(command));
  }
}

void World::restart_participant(std::size_t index) {
  participants_.at(index).reset();
  participants_[index] = std::make_unique<Process>(
      participant_commands_[index], file("participant-" + std::to_string(++started_) + ".log"));
}

Orchestrator World::start_orchestrator(bool await_ready, const std::vector<std::string>& arguments) {
  Orchestrator orchestrator;
  orchestrator.port = free_port();
  const auto name = "orchestrator" + std::to_string(++started_);
  const auto config = file(name + ".yaml");
  write_config(config, orchestrator.port);
  std::vector<std::string> command{kBuild + "/" + program_, "serve", "--config", config};
  command.insert(command.end(), arguments.begin(), arguments.end());
  orchestrator.process = std::make_unique<Process>(command, file(name + ".log"));
  if (await_ready)
    EXPECT_TRUE(eventually(60s, [&] { return http_status(orchestrator.port, "/readyz") == 200; }))
        << orchestrator.process->output();
  return orchestrator;
}

Process& World::start_load(int orders, int rate) {
  load_ = std::make_unique<Process>(
      std::vector<std::string>{kBuild + "/examples/order/load/order-load", "--kafka", cluster_.kafka,
                               "--topic", topic("orders"), "--lifecycle", lifecycle_topic(), "--orders",
                               std::to_string(orders), "--rate", std::to_string(rate), "--notify-at",
                               std::to_string(orders / 2), "--timeout", "60", "--settle-ms", "500",
                               "--outcomes", file("outcomes")},
      file("load.log"));
  return *load_;
}

Outcome World::finish_load(std::chrono::seconds limit) {
  Outcome outcome;
  outcome.exit_code = load_->wait(limit).value_or(-1);
  const auto output = load_->output();
  if (const auto begin = output.rfind("\n{"); begin != std::string::npos)
    outcome.report = output.substr(begin + 1, output.find('\n', begin + 1) - begin - 1);
  return outcome;
}

std::string World::offences() {
  const int status =
      run({kSource + "/examples/order/check/run", database_, file("outcomes")}, file("check.log"));
  if (status == 0) return {};
  std::ifstream lines{file("check.log")};
  std::string text = "exit code " + std::to_string(status) + "\n";
  for (std::string line; std::getline(lines, line);)
    if (line.find("\t0\t") == std::string::npos) text += line + "\n";
  return text;
}

int World::place_order(const std::vector<std::string>& arguments, std::string& output,
                       const std::map<std::string, std::string>& environment) {
  const auto config = file("command.yaml");
  write_config(config, free_port());
  std::vector<std::string> command{kBuild + "/" + program_};
  command.insert(command.end(), arguments.begin(), arguments.end());
  command.insert(command.end(), {"--config", config});
  const auto log = file("command" + std::to_string(++started_) + ".log");
  Process process{command, log, environment};
  const auto status = process.wait(60s);
  output = process.output();
  return status.value_or(-1);
}

std::string World::logs() const {
  constexpr std::size_t kTail = 4000;
  std::string text;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    if (entry.path().extension() != ".log") continue;
    std::ifstream in{entry.path()};
    const std::string content{std::istreambuf_iterator<char>{in}, {}};
    text += "--- " + entry.path().filename().string() + "\n" +
            content.substr(content.size() - std::min(content.size(), kTail));
  }
  return text;
}

int http_status(int port, const std::string& path) {
  const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(port);
  const timeval patience{.tv_sec = 2, .tv_usec = 0};
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  int status = 0;
  if (connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    const auto request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    char answer[16] = {};
    if (send(connection, request.data(), request.size(), MSG_NOSIGNAL) > 0 &&
        recv(connection, answer, sizeof answer - 1, MSG_WAITALL) > 12)
      status = std::atoi(answer + 9);
  }
  close(connection);
  return status;
}

int free_port() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  close(listener);
  return ntohs(address.sin_port);
}

}  // namespace skald::e2e
