// What surrounds the code of docs/participants.md.
#include "order_types.hpp"

using namespace shop;

#include "participants-1.inc"
