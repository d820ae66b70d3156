<!-- Creates the POM of a published artifact from the project's POM, as the flatten plugin resolved it. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:pom="http://maven.apache.org/POM/4.0.0"
                xmlns="http://maven.apache.org/POM/4.0.0" exclude-result-prefixes="pom">
  <xsl:param name="artifact"/>
  <xsl:output indent="yes"/>
  <xsl:strip-space elements="*"/>
  <xsl:variable name="version" select="/pom:project/pom:version"/>

  <xsl:template match="@*|node()">
    <xsl:copy>
      <xsl:apply-templates select="@*|node()"/>
    </xsl:copy>
  </xsl:template>

  <xsl:template match="/pom:project/pom:artifactId">
    <artifactId>
      <xsl:value-of select="$artifact"/>
    </artifactId>
  </xsl:template>

  <xsl:template match="pom:profiles"/>

  <!-- Maven excludes another classifier with it, but Ivy the artifact itself. -->
  <xsl:template match="pom:exclusion[pom:artifactId = ../../pom:artifactId]"/>

  <!-- Job jars contain all dependencies, and the native libraries have none. -->
  <xsl:template match="/pom:project/pom:dependencies">
    <xsl:if test="$artifact = 'unroll'">
      <dependencies>
        <xsl:apply-templates select="pom:dependency[not(pom:classifier)]"/>
        <dependency>
          <groupId>io.unroll</groupId>
          <artifactId>unroll-natives</artifactId>
          <version>
            <xsl:value-of select="$version"/>
          </version>
        </dependency>
      </dependencies>
    </xsl:if>
  </xsl:template>
</xsl:stylesheet>
