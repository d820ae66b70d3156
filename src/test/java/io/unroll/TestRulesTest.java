package io.unroll;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.properties.HasAnnotations;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Tags;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;

/** Rules for tests, so that each of them runs in some build and is deterministic. */
@AnalyzeClasses(packages = "io.unroll", importOptions = ImportOption.OnlyIncludeTests.class)
class TestRulesTest {
    /** The tags that the profiles in pom.xml select. */
    private static final Set<String> TAGS = Set.of("full", "nightly");

    @ArchTest
    static final ArchRule onlyKnownTagsAreUsed = classes().should(haveKnownTags());

    @ArchTest
    static final ArchRule classesWithTestsHaveANameThatMavenFinds = classes()
            .that()
            .containAnyMethodsThat(describe(
                    "are tests",
                    method -> method.isAnnotatedWith(Test.class) || method.isAnnotatedWith(ParameterizedTest.class)))
            .and()
            .doNotHaveModifier(JavaModifier.ABSTRACT)
            .should()
            .haveNameMatching(".*(Test|IT)");

    @ArchTest
    static final ArchRule randomnessIsSeeded = ArchitectureTest.randomnessIsSeeded;

    private static ArchCondition<JavaClass> haveKnownTags() {
        return new ArchCondition<>("be tagged " + TAGS) {
            @Override
            public void check(JavaClass item, ConditionEvents events) {
                Stream.concat(Stream.of(item), item.getMethods().stream())
                        .flatMap(TestRulesTest::tags)
                        .filter(tag -> !TAGS.contains(tag))
                        .forEach(tag -> events.add(
                                SimpleConditionEvent.violated(item, item.getName() + " is tagged \"" + tag + "\"")));
            }
        };
    }

    private static Stream<String> tags(HasAnnotations<?> item) {
        Stream<Tag> single = item.tryGetAnnotationOfType(Tag.class).stream();
        Stream<Tag> repeated =
                item.tryGetAnnotationOfType(Tags.class).stream().flatMap(tags -> Arrays.stream(tags.value()));
        return Stream.concat(single, repeated).map(Tag::value);
    }
}
