package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class RunStateTest {
    @Test
    void aPlateauEndsAfterPatienceEpochsWithoutABetterLoss() {
        assertEquals(List.of(0, 0, 0, 1, 1, 1, 1, 2, 2), decays(2, 3, 2, 2.5, 2.1, 2.2, 1.9, 2, 1.9, 1.8));
        assertEquals(List.of(0, 1, 2, 2), decays(1, 3, 3, 3, 2));
    }

    @Test
    void aRoundWithoutValidationDoesNotCountAsAnEpoch() {
        RunState state = after(RunState.initial(Snapshot.initial(new float[1], 1)), 1.0);
        assertEquals(0, after(after(state, null), null).plateau().decays());
    }

    private static List<Integer> decays(int patience, double... losses) {
        RunState state = RunState.initial(Snapshot.initial(new float[1], 1));
        List<Integer> decays = new ArrayList<>();
        for (double loss : losses) {
            state = state.after(state.snapshot(), report(loss), patience);
            decays.add(state.plateau().decays());
        }
        return decays;
    }

    private static RunState after(RunState state, Double loss) {
        return state.after(state.snapshot(), report(loss), 1);
    }

    private static RoundReport report(Double validation) {
        return new RoundReport(1, 1, 1, 1, 1, validation, 1, 1, 0, 0, new TreeMap<>(), 1, 1, Map.of(), Map.of());
    }
}
