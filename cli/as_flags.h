/* cli/as_flags.h: texts of the library, which speak of options as fields and enumerators, in the words of the command.
 */
#ifndef AS_FLAGS_H
#define AS_FLAGS_H

#include <stdio.h>

/* Prints a message of the library with flags in place of options' fields and enumerators. */
void print_as_flags(FILE *stream, const char *text);
/* The same for the description of an option, which names other options anywhere. */
void print_help_as_flags(FILE *stream, const char *text);

#endif
