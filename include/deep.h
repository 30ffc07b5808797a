/* The header that modules written for Lanes 3.x include for deep objects. */
#include "lanes.h"
