// MetricCache: the metrics of one family by their label values, found without building strings or asking the
// family. Thread-safe. A family holds at most kMaximum label sets: beyond, all further ones share "other", so
// that no input can grow the exposition without bound.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <prometheus/family.h>

namespace skald::api {

template <class Metric, std::size_t Labels>
class MetricCache {
 public:
  static constexpr std::size_t kMaximum = 1000;
  using Names = std::array<const char*, Labels>;
  using Values = std::array<std::string_view, Labels>;
  using Make = std::function<Metric&(prometheus::Family<Metric>&, const std::map<std::string, std::string>&)>;

  MetricCache(prometheus::Family<Metric>& family, Names names, Make make)
      : family_(family), names_(names), make_(std::move(make)) {}

  Metric& at(const Values& values) {
    {
      const std::shared_lock lock(mutex_);
      if (const auto found = metrics_.find(values); found != metrics_.end()) return *found->second;
    }
    const std::unique_lock lock(mutex_);
    if (const auto found = metrics_.find(values); found != metrics_.end()) return *found->second;
    if (metrics_.size() < kMaximum) return add(values);
    Values other;
    other.fill("other");
    const auto found = metrics_.find(other);
    return found != metrics_.end() ? *found->second : add(other);
  }

  /// Takes one label set out of the exposition. Only for families that one thread at a time uses.
  void remove(const Values& values) {
    const std::unique_lock lock(mutex_);
    const auto found = metrics_.find(values);
    if (found == metrics_.end()) return;
    family_.Remove(found->second);
    metrics_.erase(found);
  }

  void remove_all() {
    const std::unique_lock lock(mutex_);
    for (const auto& [key, metric] : metrics_) family_.Remove(metric);
    metrics_.clear();
  }

 private:
  using Key = std::array<std::string, Labels>;
  struct Hash {
    using is_transparent = void;
    template <class Strings>
    std::size_t operator()(const Strings& strings) const {
      std::size_t hash = 0;
      for (const std::string_view text : strings) hash = hash * 31 + std::hash<std::string_view>{}(text);
      return hash;
    }
  };
  struct Equal {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      for (std::size_t index = 0; index < Labels; ++index)
        if (std::string_view(a[index]) != std::string_view(b[index])) return false;
      return true;
    }
  };

  Metric& add(const Values& values) {
    std::map<std::string, std::string> labels;
    Key key;
    for (std::size_t index = 0; index < Labels; ++index) {
      key[index] = std::string(values[index]);
      labels[names_[index]] = key[index];
    }
    Metric& metric = make_(family_, labels);
    metrics_.emplace(std::move(key), &metric);
    return metric;
  }

  prometheus::Family<Metric>& family_;
  const Names names_;
  const Make make_;
  std::shared_mutex mutex_;  ///< guards metrics_
  std::unordered_map<Key, Metric*, Hash, Equal> metrics_;
};

}  // namespace skald::api
