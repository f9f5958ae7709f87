/* allin1: the program. Chooses the command and lets it work. */
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "analyze_command.h"
#include "bench_command.h"
#include "convert_command.h"
#include "eval_command.h"
#include "models_command.h"
#include "show_command.h"
#include "standard_output.h"
#include "timings_command.h"

/* A standard stream that was closed is replaced by one that fails, so that no file which is opened
 * later takes its place and gets its text. */
static void occupy_standard_streams(void)
{
    for (int stream = 0; stream <= 2; stream++)
        if (fcntl(stream, F_GETFD) < 0)
            (void)!open("/dev/null", stream == 0 ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
    occupy_standard_streams();
    standard_output_prepare();
    signal(SIGPIPE, SIG_IGN); /* a reader that goes away is seen as a failed write */
    signal(SIGXFSZ, SIG_IGN); /* so is a limit on the size of files */
    setlocale(LC_CTYPE, "");
    if (argc > 1 && strcmp(argv[1], "models") == 0)
        return models_command(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "show") == 0)
        return show_command(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "convert") == 0)
        return convert_command(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "bench") == 0)
        return bench_command(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "timings") == 0)
        return timings_command(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "eval") == 0)
        return eval_command(argc - 1, argv + 1);
    return analyze_command(argc, argv);
}
