package io.kvorum.testkit.architecture;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The groups of top-level classes that all depend on one another, the classes nested in them counted as part of them:
 * the strongly connected components of the graph of dependencies, by Tarjan's algorithm.
 */
final class ClassCycles {
    private final Map<String, Set<String>> uses = new TreeMap<>();
    private final Map<String, Integer> order = new HashMap<>();
    private final Map<String, Integer> lowest = new HashMap<>();
    private final Deque<String> open = new ArrayDeque<>();
    private final List<Set<String>> found = new ArrayList<>();

    private ClassCycles(JavaClasses classes) {
        for (JavaClass type : classes) {
            uses.computeIfAbsent(topLevel(type), name -> new TreeSet<>());
        }
        for (JavaClass type : classes) {
            Set<String> used = uses.getOrDefault(topLevel(type), Set.of());
            for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
                String target = topLevel(dependency.getTargetClass());
                if (uses.containsKey(target) && !target.equals(topLevel(type))) {
                    used.add(target);
                }
            }
        }
    }

    /** Returns the groups of more than a number of classes. */
    static List<Set<String>> largerThan(int most, JavaClasses classes) {
        ClassCycles cycles = new ClassCycles(classes);
        cycles.uses.keySet().stream()
                .filter(name -> !cycles.order.containsKey(name))
                .toList()
                .forEach(cycles::visitUnlessVisited);
        return cycles.found.stream().filter(group -> group.size() > most).toList();
    }

    private static String topLevel(JavaClass type) {
        String name = type.getBaseComponentType().getName();
        int nested = name.indexOf('$');
        return nested < 0 ? name : name.substring(0, nested);
    }

    private void visitUnlessVisited(String name) {
        if (!order.containsKey(name)) {
            visit(name);
        }
    }

    private void visit(String name) {
        order.put(name, order.size());
        lowest.put(name, order.get(name));
        open.push(name);
        for (String used : uses.getOrDefault(name, Set.of())) {
            visitUnlessVisited(used);
            if (open.contains(used)) {
                lowest.merge(name, lowest.get(used), Math::min);
            }
        }
        if (lowest.get(name).equals(order.get(name))) {
            Set<String> group = new TreeSet<>();
            String member;
            do {
                member = open.pop();
                group.add(member);
            } while (!member.equals(name));
            found.add(group);
        }
    }
}
