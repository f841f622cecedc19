// What only an administrator does to a cluster, for tests: deleting topics and records, adding partitions.
#pragma once

#include <string>

#include "ports/bus.hpp"

namespace skald::contract {

void delete_topic(const std::string& servers, const std::string& topic);
void delete_records_before(const std::string& servers, const PartitionOffset& offset);
void grow_topic(const std::string& servers, const std::string& topic, int partitions);

}  // namespace skald::contract
