// Answers: how the API says yes and no, and reads the members of a body. Internal to the API; pure.
#pragma once

#include <string>
#include <string_view>

#include "api/http_server.hpp"
#include "skald/json.hpp"
#include "skald/result.hpp"

namespace skald::api {

inline constexpr const char* kNotFound = "SKALD-953";
inline constexpr const char* kBadRequest = "SKALD-958";
inline constexpr const char* kBusy = "SKALD-957";

[[nodiscard]] HttpResponse answer(int status, std::string body);
/// Of who and why.
inline constexpr std::size_t kMaximumPersonBytes = 200;
inline constexpr std::size_t kMaximumReasonBytes = 2000;

[[nodiscard]] HttpResponse refuse(int status, std::string_view code, std::string_view message);
[[nodiscard]] HttpResponse refuse(const Error& error);
[[nodiscard]] HttpResponse wrong_method(const char* allowed);

/// An input was applied, or had been before; `value`: the answer of an update, JSON.
[[nodiscard]] HttpResponse applied(bool duplicate, const std::string& value = {});

void text_member(json::Writer& writer, std::string_view name, std::string_view text);
/// A string member of a body, within its limit.
[[nodiscard]] Result<std::string> text_of(const json::Value& body, const char* name, std::size_t maximum,
                                          bool required);

}  // namespace skald::api
